import { WireError } from "../wire/wire-error.ts";

export const C1222_PORT = 1153;
const TRANSPORTS = { 17: "udp", 6: "tcp" } as const;

/** A native address of RFC 6142: an IP address, and where they are said its port and transport. */
export interface NativeAddress {
  /** 4 octets of IPv4 or 16 of IPv6. */
  readonly address: Uint8Array;
  readonly port: number | undefined;
  readonly transport: "udp" | "tcp" | undefined;
}

const LENGTHS = [4, 6, 7, 16, 18, 19] as const;

/** Reads an address; the zeros that fill it up in a table are passed over. Throws `WireError`. */
export function nativeAddressOf(octets: Uint8Array): NativeAddress {
  let used = octets.length;
  if (!LENGTHS.some((length) => length === used)) {
    while (used > 0 && octets[used - 1] === 0) used--;
    used = LENGTHS.find((length) => length >= used) ?? used;
  }
  if (!LENGTHS.some((length) => length === used) || used > octets.length)
    throw new WireError(
      "wire.value",
      `expected a native address of ${LENGTHS.join(", ")} octets, got ${octets.length}`,
      0,
    );
  const size = used >= 16 ? 16 : 4;
  const transport = used === size + 3 ? TRANSPORTS[octets[size + 2] as 17 | 6] : undefined;
  if (used === size + 3 && transport === undefined)
    throw new WireError("wire.value", `expected the transport 17 or 6, got ${octets[size + 2]}`, size + 2);
  return {
    address: octets.slice(0, size),
    port: used > size ? (octets[size]! << 8) | octets[size + 1]! : undefined,
    transport,
  };
}

export function nativeAddressOctets({ address, port, transport }: NativeAddress): Uint8Array {
  if (port === undefined) return address.slice();
  const ends = [port >>> 8, port & 0xff, ...(transport === undefined ? [] : [transport === "udp" ? 17 : 6])];
  return Uint8Array.from([...address, ...ends]);
}

/** An IP address of 4 or 16 octets as text. */
export function hostOf(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const words = Array.from({ length: 8 }, (_, at) => ((address[2 * at]! << 8) | address[2 * at + 1]!).toString(16));
  return words.join(":");
}

/** Octets of an IP address as text; an IPv4 address in an IPv6 one is the IPv4 address. */
export function addressOctets(text: string): Uint8Array {
  const [plain = ""] = text.split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  if (!mapped.includes(":")) return Uint8Array.from(mapped.split("."), Number);
  const [head = "", tail] = mapped.split("::");
  const groups = (part: string | undefined): string[] => (part ? part.split(":") : []);
  const [first, last] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  const words = tail === undefined ? first : [...first, ...zeros, ...last];
  return Uint8Array.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]));
}
