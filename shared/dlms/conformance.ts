import type { Codec } from "../wire/codec.ts";
import { checkInteger } from "../wire/integers.ts";
import { WireError } from "../wire/wire-error.ts";

/** Services of the conformance block, as masks over its 24 bits: bit 0 of the standard is the most significant. */
export const CONFORMANCE = {
  "general-protection": 0x40_0000,
  "general-block-transfer": 0x20_0000,
  read: 0x10_0000,
  write: 0x08_0000,
  "unconfirmed-write": 0x04_0000,
  "delta-value-encoding": 0x02_0000,
  "attribute0-supported-with-set": 0x00_8000,
  "priority-mgmt-supported": 0x00_4000,
  "attribute0-supported-with-get": 0x00_2000,
  "block-transfer-with-get-or-read": 0x00_1000,
  "block-transfer-with-set-or-write": 0x00_0800,
  "block-transfer-with-action": 0x00_0400,
  "multiple-references": 0x00_0200,
  "information-report": 0x00_0100,
  "data-notification": 0x00_0080,
  access: 0x00_0040,
  "parameterized-access": 0x00_0020,
  get: 0x00_0010,
  set: 0x00_0008,
  "selective-access": 0x00_0004,
  "event-notification": 0x00_0002,
  action: 0x00_0001,
} as const;
export type ConformanceService = keyof typeof CONFORMANCE;

export const conformanceOf = (...services: readonly ConformanceService[]): number =>
  services.reduce((bits, service) => bits | CONFORMANCE[service], 0);

export const servicesOf = (conformance: number): readonly ConformanceService[] =>
  (Object.keys(CONFORMANCE) as ConformanceService[]).filter((service) => conformance & CONFORMANCE[service]);

/** Conformance ::= [APPLICATION 31] IMPLICIT BIT STRING (SIZE(24)), in BER; the tag `5F` alone, of old stacks, is accepted. */
export const Conformance: Codec<number> = {
  read: (source) => {
    const { offset } = source;
    const tag = source.unsigned8("the tag of Conformance");
    if (tag !== 0x5f) throw new WireError("wire.tag", `expected Conformance (0x5f), got ${tag}`, offset, { tag });
    if (source.peek() === 0x1f) source.unsigned8();
    const length = source.unsigned8("the length of Conformance");
    const unused = source.unsigned8("the unused bits of Conformance");
    if (length !== 4 || unused !== 0)
      throw new WireError(
        "wire.value",
        `expected a Conformance of 24 bits, got length ${length}, unused ${unused}`,
        offset,
      );
    return source.unsigned8() * 0x1_0000 + source.unsigned16();
  },
  write: (target, value) => {
    checkInteger(target, "Conformance", value, 0, 0xff_ffff);
    target.unsigned32(0x5f1f_0400);
    target.unsigned8(value >>> 16);
    target.unsigned16(value & 0xffff);
  },
};

/** Services that only the one or the other referencing has; the rest are of both. */
export const REFERENCING_SERVICES = {
  "logical-name": conformanceOf(
    "attribute0-supported-with-set",
    "attribute0-supported-with-get",
    "priority-mgmt-supported",
    "block-transfer-with-action",
    "access",
    "get",
    "set",
    "selective-access",
    "event-notification",
    "action",
  ),
  "short-name": conformanceOf("read", "write", "unconfirmed-write", "information-report", "parameterized-access"),
} as const;
export type Referencing = keyof typeof REFERENCING_SERVICES;

/** What a conformance block means to an association of this referencing. */
export const conformanceFor = (referencing: Referencing, conformance: number): number =>
  conformance & ~REFERENCING_SERVICES[referencing === "logical-name" ? "short-name" : "logical-name"];
