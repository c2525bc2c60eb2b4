import type { CompactArray, TypeDescription } from "../../shared/dlms/compact-array.ts";
import type { BitString, Data } from "../../shared/dlms/data.ts";
import { simpleTag } from "../../shared/dlms/simple-data.ts";
import { toHex } from "../../shared/ports/octets.ts";

/** JSON as the decoder prints it: octets as lower-case hex, integers as numbers, beyond 2^53 as strings. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

export const integerJson = (value: bigint): Json => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
};

const bitsJson = ({ length, octets }: BitString): string =>
  [...octets]
    .map((octet) => octet.toString(2).padStart(8, "0"))
    .join("")
    .slice(0, length);

function descriptionJson(description: TypeDescription): Json {
  if (description.type === "array")
    return { type: "array", count: description.count, of: descriptionJson(description.of) };
  if (description.type === "structure") return { type: "structure", of: description.of.map(descriptionJson) };
  return { type: description.type };
}

/** `{ "type": "double-long-unsigned", "value": 123 }`; a bit-string as its bits, a compact-array with its description. */
export function dataJson(data: Data): JsonObject {
  const { type, value } = data;
  if (type === "compact-array") {
    const { description, elements } = value as CompactArray;
    return { type, typeDescription: descriptionJson(description), value: elements.map(dataJson) };
  }
  if (type === "array" || type === "structure") return { type, value: (value as readonly Data[]).map(dataJson) };
  if (type === "bit-string") return { type, value: bitsJson(value as BitString) };
  if (value instanceof Uint8Array) return { type, value: toHex(value) };
  if (typeof value === "bigint") return { type, value: integerJson(value) };
  if (typeof value === "number" && !Number.isFinite(value)) return { type, value: String(value) };
  return { type, value: value as Json };
}

const isData = (value: object): value is Data => {
  const { type } = value as { readonly type?: unknown };
  return (
    typeof type === "string" &&
    "value" in value &&
    (type === "array" ||
      type === "structure" ||
      type === "compact-array" ||
      simpleTag(type as Data["type"]) !== undefined)
  );
};

/** Any value of a codec. Absent components are left out; the alternative of an inner CHOICE is named by its component. */
export function json(value: unknown): Json {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === "bigint") return integerJson(value);
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean" || value === null)
    return value;
  if (Array.isArray(value)) return value.map(json);
  if (typeof value !== "object") return null;
  if (isData(value)) return dataJson(value);
  const members: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value))
    if (member !== undefined && name !== "kind") members[name] = json(member);
  return members;
}
