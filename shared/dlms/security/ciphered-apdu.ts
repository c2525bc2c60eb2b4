import {
  type Codec,
  choice,
  prefixed,
  type SequenceOf,
  sequence,
  type TypeOf,
  tagged,
  unknownTag,
} from "../../wire/codec.ts";
import { unsigned8 } from "../../wire/integers.ts";
import { octetString } from "../../wire/octet-string.ts";
import { optional } from "../a-xdr.ts";

/** Octets of one protected APDU: what fits a wrapper PDU. */
export const CIPHERED_MAX = 0xffff;
/** Security control, counter, payload and tag: see protection.ts. */
const content = octetString(CIPHERED_MAX, "ciphered content");
const field = (what: string) => octetString(255, what);

/** Tag of a service-specific ciphered APDU by the tag of the APDU inside (IEC 62056-5-3, XDLMS-APDU). */
const SERVICE_TAGS: readonly { readonly plain: number; readonly global: number; readonly dedicated: number }[] = [
  { plain: 0x01, global: 0x21, dedicated: 0x41 },
  { plain: 0x05, global: 0x25, dedicated: 0x45 },
  { plain: 0x06, global: 0x26, dedicated: 0x46 },
  { plain: 0x08, global: 0x28, dedicated: 0x48 },
  { plain: 0x0c, global: 0x2c, dedicated: 0x4c },
  { plain: 0x0d, global: 0x2d, dedicated: 0x4d },
  { plain: 0x0e, global: 0x2e, dedicated: 0x4e },
  { plain: 0x16, global: 0x36, dedicated: 0x56 },
  { plain: 0x18, global: 0x38, dedicated: 0x58 },
  { plain: 0xc0, global: 0xc8, dedicated: 0xd0 },
  { plain: 0xc1, global: 0xc9, dedicated: 0xd1 },
  { plain: 0xc2, global: 0xca, dedicated: 0xd2 },
  { plain: 0xc3, global: 0xcb, dedicated: 0xd3 },
  { plain: 0xc4, global: 0xcc, dedicated: 0xd4 },
  { plain: 0xc5, global: 0xcd, dedicated: 0xd5 },
  { plain: 0xc7, global: 0xcf, dedicated: 0xd7 },
];

export type KeyScope = "global" | "dedicated";
/** What a service-specific tag says: the APDU inside and which key protects it. */
export interface ServiceTag {
  readonly plain: number;
  readonly scope: KeyScope;
}
const byTag: readonly (ServiceTag | undefined)[] = Array.from({ length: 256 }, (_, tag) => {
  const row = SERVICE_TAGS.find((tags) => tags.global === tag || tags.dedicated === tag);
  return row && { plain: row.plain, scope: row.global === tag ? "global" : "dedicated" };
});
const byPlain = Array.from({ length: 256 }, (_, tag) => SERVICE_TAGS.find(({ plain }) => plain === tag));

/** Undefined: not a glo- or ded- tag. */
export const serviceTagOf = (tag: number): ServiceTag | undefined => byTag[tag];
/** Undefined: APDUs of this tag have no service-specific ciphered form; use general ciphering. */
export const cipheredTag = (plain: number, scope: KeyScope): number | undefined => byPlain[plain]?.[scope];

/** `glo-…` and `ded-…`: tag, length, content. */
export interface ServiceCiphered {
  readonly tag: number;
  readonly content: Uint8Array;
}
export const ServiceCiphered: Codec<ServiceCiphered> = {
  read: (source) => {
    const { offset } = source;
    const tag = source.unsigned8("a ciphered APDU's tag");
    if (byTag[tag] === undefined) throw unknownTag("a glo- or ded- APDU", tag, [], offset);
    return { tag, content: content.read(source) };
  },
  write: (target, value) => {
    target.unsigned8(value.tag);
    content.write(target, value.content);
  },
};

const general = sequence({
  /** The sender's title, 8 octets; empty when it is known from the association. */
  systemTitle: field("a system title"),
  cipheredService: content,
});
/** IEC 62056-5-3, General-Glo-Ciphering, tag 219. */
export const GeneralGloCiphering = prefixed("General-Glo-Ciphering", 0xdb, general);
export type GeneralGloCiphering = TypeOf<typeof GeneralGloCiphering>;
/** IEC 62056-5-3, General-Ded-Ciphering, tag 220. */
export const GeneralDedCiphering = prefixed("General-Ded-Ciphering", 0xdc, general);
export type GeneralDedCiphering = TypeOf<typeof GeneralDedCiphering>;

/** IEC 62056-5-3, Key-Info. */
export const KeyInfo = choice("Key-Info", {
  identifiedKey: tagged(0x00, sequence({ keyId: unsigned8 })),
  wrappedKey: tagged(0x01, sequence({ kekId: unsigned8, keyCipheredData: octetString(255, "a wrapped key") })),
  agreedKey: tagged(
    0x02,
    sequence({ keyParameters: octetString(255, "key parameters"), keyCipheredData: octetString(1024, "key data") }),
  ),
});
export type KeyInfo = TypeOf<typeof KeyInfo>;

const header = {
  transactionId: field("a transaction id"),
  originatorSystemTitle: field("an originator's title"),
  recipientSystemTitle: field("a recipient's title"),
  dateTime: field("a date-time"),
  otherInformation: field("other information"),
};
export type CipheringHeader = SequenceOf<typeof header>;
/** IEC 62056-5-3, General-Ciphering, tag 221. */
export const GeneralCiphering = prefixed(
  "General-Ciphering",
  0xdd,
  sequence({ ...header, keyInfo: optional(KeyInfo), cipheredContent: content }),
);
export type GeneralCiphering = TypeOf<typeof GeneralCiphering>;

/** IEC 62056-5-3, General-Signing, tag 223. */
export const GeneralSigning = prefixed(
  "General-Signing",
  0xdf,
  sequence({ ...header, content: octetString(CIPHERED_MAX, "signed content"), signature: field("a signature") }),
);
export type GeneralSigning = TypeOf<typeof GeneralSigning>;
