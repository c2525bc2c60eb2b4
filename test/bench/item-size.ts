/** Two digits an octet, one more for the exponent and one for a sign. */
const numberOctets = (text: string): number => {
  const digits = text.replace(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "");
  return 1 + Math.ceil(digits.length / 2) + (text.startsWith("-") ? 1 : 0);
};

function valueOctets(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number" || typeof value === "bigint") return numberOctets(value.toString());
  if (typeof value === "boolean" || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, one: unknown) => sum + 1 + valueOctets(one), 3);
  if (typeof value === "object") return 3 + Object.keys(value).length + itemSize(value as Record<string, unknown>);
  throw new TypeError(`expected what an item may hold, got ${typeof value}`);
}

/**
 * The size of an item as DynamoDB counts it: its names and values, octets. `item` as an adapter gives it to the document
 * client; absent attributes are left out.
 */
export const itemSize = (item: Readonly<Record<string, unknown>>): number =>
  Object.entries(item).reduce(
    (sum, [name, value]) => sum + (value === undefined ? 0 : Buffer.byteLength(name) + valueOctets(value)),
    0,
  );
