import { assert } from "../../ports/errors.ts";
import type { ActionResponseWithOptionalData } from "../action-response.ts";
import type {
  CosemAttributeDescriptor,
  CosemMethodDescriptor,
  SelectiveAccessDescriptor,
} from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import { ACTION_RESULT, DATA_ACCESS_RESULT } from "../data-access-result.ts";
import type { GetDataResult } from "../get-data-result.ts";
import { type LogicalName, obisOctets } from "../logical-name.ts";

/** What one attribute does; without `get` it cannot be read, without `set` not written. */
export interface CosemAttribute {
  /** `selection`: only for an attribute with `selectors`. `deltas`: the association takes delta types. */
  readonly get?: (selection: SelectiveAccessDescriptor | undefined, deltas: boolean) => GetDataResult;
  /** Answers a Data-Access-Result. */
  readonly set?: (value: Data) => number;
  /** Access selectors that `get` understands. */
  readonly selectors?: readonly number[];
}
export type CosemMethod = (parameters: Data | undefined) => ActionResponseWithOptionalData;

/** One object of a logical device as one association sees it. Attribute 1, the logical name, is implied. */
export interface CosemObject {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: LogicalName;
  readonly attributes: Readonly<Record<number, CosemAttribute>>;
  readonly methods?: Readonly<Record<number, CosemMethod>>;
}

/** The objects that one association may see, by logical name. */
export type CosemObjects = ReadonlyMap<LogicalName, CosemObject>;
export const cosemObjects = (objects: Iterable<CosemObject>): CosemObjects =>
  new Map(Array.from(objects, (each) => [each.logicalName, each]));

export const dataResult = (data: Data): GetDataResult => ({ kind: "data", data });
export const refusedGet = (result: keyof typeof DATA_ACCESS_RESULT): GetDataResult => ({
  kind: "dataAccessResult",
  dataAccessResult: DATA_ACCESS_RESULT[result],
});
export const actionResult = (result: keyof typeof ACTION_RESULT, data?: Data): ActionResponseWithOptionalData => ({
  result: ACTION_RESULT[result],
  returnParameters: data === undefined ? undefined : dataResult(data),
});

/** The object named, or why not: class and name must both fit. */
function find(
  objects: CosemObjects,
  classId: number,
  name: LogicalName,
): CosemObject | "object-undefined" | "object-class-inconsistent" {
  const object = objects.get(name);
  if (object === undefined) return "object-undefined";
  return object.classId === classId ? object : "object-class-inconsistent";
}

const logicalNameData = (name: LogicalName): Data => {
  const octets = obisOctets(name);
  assert(octets !== undefined, "an object's logical name is an OBIS code");
  return { type: "octet-string", value: octets };
};

export function getAttribute(
  objects: CosemObjects,
  { classId, instanceId, attributeId }: CosemAttributeDescriptor,
  selection: SelectiveAccessDescriptor | undefined,
  deltas = false,
): GetDataResult {
  const object = find(objects, classId, instanceId);
  if (typeof object === "string") return refusedGet(object);
  if (attributeId === 1)
    return selection === undefined ? dataResult(logicalNameData(instanceId)) : refusedGet("scope-of-access-violated");
  const attribute = object.attributes[attributeId];
  if (attribute === undefined) return refusedGet("object-undefined");
  if (attribute.get === undefined) return refusedGet("read-write-denied");
  if (selection !== undefined && !(attribute.selectors ?? []).includes(selection.accessSelector))
    return refusedGet("scope-of-access-violated");
  return attribute.get(selection, deltas);
}

/** Answers a Data-Access-Result. Selective access to a SET is not offered by any object here. */
export function setAttribute(
  objects: CosemObjects,
  { classId, instanceId, attributeId }: CosemAttributeDescriptor,
  selection: SelectiveAccessDescriptor | undefined,
  value: Data,
): number {
  const object = find(objects, classId, instanceId);
  if (typeof object === "string") return DATA_ACCESS_RESULT[object];
  const attribute = object.attributes[attributeId];
  if (attribute === undefined && attributeId !== 1) return DATA_ACCESS_RESULT["object-undefined"];
  if (attribute?.set === undefined) return DATA_ACCESS_RESULT["read-write-denied"];
  if (selection !== undefined) return DATA_ACCESS_RESULT["scope-of-access-violated"];
  return attribute.set(value);
}

export function invokeMethod(
  objects: CosemObjects,
  { classId, instanceId, methodId }: CosemMethodDescriptor,
  parameters: Data | undefined,
): ActionResponseWithOptionalData {
  const object = find(objects, classId, instanceId);
  if (typeof object === "string") return actionResult(object);
  const method = object.methods?.[methodId];
  return method === undefined ? actionResult("object-undefined") : method(parameters);
}
