/** Octets are `Uint8Array` everywhere; these are the few things one does to them outside a codec. */
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** Lower-case hex. */
export function toHex(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += HEX[octet];
  return text;
}

/** Hex to octets; undefined when the text is not an even number of hex digits. Blanks are skipped. */
export function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/\s+/g, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  const octets = new Uint8Array(digits.length / 2);
  for (let index = 0; index < octets.length; index++)
    octets[index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  return octets;
}

/** Hex to octets, for literals that are known to be hex. */
export function fromHex(text: string): Uint8Array {
  const octets = parseHex(text);
  if (octets === undefined) throw new TypeError("expected an even number of hex digits");
  return octets;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Equality whose time does not depend on where the first difference is. */
export function equalOctets(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left[index]! ^ right[index]!;
  return difference === 0;
}
