import type { CosemAttributeDescriptor, CosemMethodDescriptor } from "../cosem-attribute-descriptor.ts";
import type { LogicalName } from "../logical-name.ts";
import type { Shape } from "./shape.ts";

/** An attribute of an interface class (IEC 62056-6-2): its number and what it holds. */
export interface Attribute<T> {
  readonly id: number;
  readonly shape: Shape<T>;
}
export interface Method<T> {
  readonly id: number;
  readonly parameter: Shape<T>;
}
export const attribute = <T>(id: number, shape: Shape<T>): Attribute<T> => ({ id, shape });
export const method = <T>(id: number, parameter: Shape<T>): Method<T> => ({ id, parameter });

/** Attributes and methods by the standard's names in camelCase; attribute 1 of every class is logicalName. */
export interface InterfaceClass {
  readonly classId: number;
  readonly version: number;
  readonly attributes: Readonly<Record<string, { readonly id: number }>>;
  readonly methods: Readonly<Record<string, { readonly id: number }>>;
}

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

export const attributeOf = <T>(of: InterfaceClass, found: Attribute<T>, instanceId: LogicalName): AttributeOf<T> => ({
  descriptor: { classId: of.classId, instanceId, attributeId: found.id },
  shape: found.shape,
});
export const methodOf = <T>(of: InterfaceClass, found: Method<T>, instanceId: LogicalName): MethodOf<T> => ({
  descriptor: { classId: of.classId, instanceId, methodId: found.id },
  parameter: found.parameter,
});
