import type { CosemAttributeDescriptor, CosemMethodDescriptor } from "../cosem-attribute-descriptor.ts";
import type { LogicalName } from "../logical-name.ts";
import { type Members, obis, type Shape, type ShapeValue } from "./shape.ts";

/** An attribute of an interface class (IEC 62056-6-2): its number and what it holds. */
export interface Attribute<T> {
  readonly id: number;
  readonly shape: Shape<T>;
}
export interface Method<T> {
  readonly id: number;
  readonly parameter: Shape<T>;
}
const attribute = <T>(id: number, shape: Shape<T>): Attribute<T> => ({ id, shape });

/** Attributes and methods by the standard's names in camelCase; attribute 1 of every class is logicalName. */
export interface InterfaceClass {
  /** As the standard writes it. */
  readonly name: string;
  readonly classId: number;
  readonly version: number;
  readonly attributes: Readonly<Record<string, AnyAttribute>>;
  readonly methods: Readonly<Record<string, AnyMethod>>;
  /** Short-name referencing: from the base name to the first method; attribute n lies at 8 × (n − 1). */
  readonly methodsAt?: number;
}
/** An attribute or a method whatever it holds: what it is, and how it is read. */
export interface AnyAttribute {
  readonly id: number;
  readonly shape: Pick<Shape<unknown>, "form" | "read">;
}
export interface AnyMethod {
  readonly id: number;
  readonly parameter: Pick<Shape<unknown>, "form" | "read">;
}

type Attributes<A extends Members> = { readonly logicalName: Attribute<LogicalName> } & {
  readonly [K in keyof A]: Attribute<ShapeValue<A[K]>>;
};
type Methods<M extends Members> = { readonly [K in keyof M]: Method<ShapeValue<M[K]>> };

/** An interface class. Attributes from 2 on and methods from 1 on are numbered in the order in which they stand. */
export const interfaceClass = <A extends Members, M extends Members>(
  name: string,
  classId: number,
  version: number,
  attributes: A,
  methods: M,
  methodsAt?: number,
) => ({
  name,
  classId,
  version,
  attributes: Object.fromEntries([
    ["logicalName", attribute(1, obis)],
    ...Object.entries(attributes).map(([key, shape], index) => [key, { id: index + 2, shape }] as const),
  ]) as unknown as Attributes<A>,
  methods: Object.fromEntries(
    Object.entries(methods).map(([key, parameter], index) => [key, { id: index + 1, parameter }] as const),
  ) as unknown as Methods<M>,
  ...(methodsAt === undefined ? {} : { methodsAt }),
});

/** One attribute of one object, with what it holds. */
export interface AttributeOf<T> {
  readonly descriptor: CosemAttributeDescriptor;
  readonly shape: Shape<T>;
}
/** What reading needs of an attribute, whatever it holds. */
export interface ReadableAttribute {
  readonly descriptor: CosemAttributeDescriptor;
  readonly shape: Pick<Shape<unknown>, "read">;
}
export interface MethodOf<T> {
  readonly descriptor: CosemMethodDescriptor;
  readonly parameter: Shape<T>;
}

export const attributeOf = <T>(
  of: Pick<InterfaceClass, "classId">,
  found: Attribute<T>,
  instanceId: LogicalName,
): AttributeOf<T> => ({
  descriptor: { classId: of.classId, instanceId, attributeId: found.id },
  shape: found.shape,
});
export const methodOf = <T>(
  of: Pick<InterfaceClass, "classId">,
  found: Method<T>,
  instanceId: LogicalName,
): MethodOf<T> => ({
  descriptor: { classId: of.classId, instanceId, methodId: found.id },
  parameter: found.parameter,
});
