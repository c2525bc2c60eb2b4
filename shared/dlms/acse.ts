import { absentable, berInteger, element, restOctets } from "../wire/ber.ts";
import { type Codec, hexOctet } from "../wire/codec.ts";
import { fixedOctets } from "../wire/octet-string.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Referencing } from "./conformance.ts";

/** Elements that AARQ, AARE, RLRQ and RLRE share (ACSE, ISO/IEC 8650-1, as IEC 62056-5-3 uses it), in BER. */

/** `context_id`, the last arc of 2.16.756.5.8.1. */
export const APPLICATION_CONTEXT = {
  "logical-name-referencing-no-ciphering": 1,
  "short-name-referencing-no-ciphering": 2,
  "logical-name-referencing-with-ciphering": 3,
  "short-name-referencing-with-ciphering": 4,
} as const;

export const applicationContextOf = (referencing: Referencing, ciphered: boolean): number =>
  APPLICATION_CONTEXT[`${referencing}-referencing-${ciphered ? "with" : "no"}-ciphering` as const];

/** `mechanism_id`, the last arc of 2.16.756.5.8.2. */
export const MECHANISM = {
  "lowest-level-security": 0,
  "low-level-security": 1,
  "high-level-security": 2,
  "high-level-security-md5": 3,
  "high-level-security-sha1": 4,
  "high-level-security-gmac": 5,
  "high-level-security-sha256": 6,
  "high-level-security-ecdsa": 7,
} as const;

const DLMS_UA = [0x60, 0x85, 0x74, 0x05, 0x08];

/** An OBJECT IDENTIFIER under 2.16.756.5.8, content octets; the value is its last arc, 0..127. */
export const dlmsIdentifier = (arc: 1 | 2, what: string): Codec<number> => ({
  read: (source) => {
    const { offset } = source;
    const octets = fixedOctets(7, what).read(source);
    if ([...DLMS_UA, arc].some((octet, index) => octets[index] !== octet) || (octets[6] as number) > 0x7f)
      throw new WireError("wire.value", `expected ${what} 2.16.756.5.8.${arc}.x`, offset);
    return octets[6] as number;
  },
  write: (target, value) => target.octets(Uint8Array.of(...DLMS_UA, arc, value)),
});

export const applicationContextName = element(0x06, dlmsIdentifier(1, "an application context name"));
export const mechanismName = dlmsIdentifier(2, "a mechanism name");
export const octets = element(0x04, restOctets);
export const integer = element(0x02, berInteger);

/** ACSE requirements, BIT STRING: whether the authentication functional unit (bit 0) is asked for. */
export const acseRequirements: Codec<boolean> = {
  read: (source) => {
    const { offset } = source;
    const unused = source.unsigned8("unused bits");
    if (unused > 7) throw new WireError("wire.value", `expected 0..7 unused bits, got ${unused}`, offset);
    return ((source.rest()[0] ?? 0) & 0x80) !== 0;
  },
  write: (target, authentication) => target.octets(Uint8Array.of(0x07, authentication ? 0x80 : 0x00)),
};

/** Authentication-value: only the charstring choice [0] is in use. */
export const authenticationValue = element(0x80, restOctets);

/** Protocol version, BIT STRING as sent: unused bits and octets. */
export const protocolVersion: Codec<Uint8Array> = restOctets;

/** User-information: the octets of the xDLMS APDU inside, ciphered or not. */
export const userInformation = absentable(0xbe, octets);

/** An ACSE APDU: tag, definite length, content. */
export const acseApdu = <T>(what: string, tag: number, content: Codec<T>): Codec<T> => {
  const whole = element(tag, content);
  return {
    read: (source) => {
      const first = source.peek();
      if (first !== undefined && first !== tag)
        throw new WireError("wire.tag", `expected ${what} (${hexOctet(tag)}), got ${hexOctet(first)}`, source.offset, {
          tag: first,
        });
      return whole.read(source);
    },
    write: whole.write,
  };
};
