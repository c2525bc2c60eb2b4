import { HdlcFrameCodec } from "../../shared/dlms/hdlc-frame.ts";
import { protectApdu, protectedApdu } from "../../shared/dlms/security/apdu-protection.ts";
import { cipheredTag } from "../../shared/dlms/security/ciphered-apdu.ts";
import { type CipherKeys, openContent } from "../../shared/dlms/security/protection.ts";
import { AUTHENTICATED_ENCRYPTED } from "../../shared/dlms/security/security-control.ts";
import file from "../../shared/dlms/vectors/dlms-vectors.json" with { type: "json" };
import { Wrapper, wrap } from "../../shared/dlms/wrapper.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { concat, fromHex } from "../../shared/ports/octets.ts";
import { below, chance, type Random } from "../../shared/ports/random.ts";
import { decode, encode } from "../../shared/wire/codec.ts";
import { mutated } from "./mutate.ts";

export const KEYS: CipherKeys = {
  encryption: nodeCrypto.secretKey(fromHex("000102030405060708090a0b0c0d0e0f")),
  authentication: fromHex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"),
};
export const TITLE = fromHex("4d4d4d0000bc614e");

interface Known {
  readonly hex?: string;
  readonly plain?: string;
  readonly items?: readonly { readonly hex: string }[];
  readonly steps?: readonly { readonly hex: string }[];
  readonly kind?: string;
}

/** APDUs in clear of all known answers and recordings. */
const APDUS: readonly Uint8Array[] = [
  ...(file.vectors as readonly Known[]).flatMap(({ kind, hex, items, steps }) =>
    kind === "apdu" && hex !== undefined && !hex.startsWith("0001") && !hex.startsWith("13")
      ? [hex]
      : [...(items ?? []), ...(steps ?? [])].map((one) => one.hex),
  ),
  ...(file.sessions as readonly { readonly framing: string; readonly messages: readonly Known[] }[]).flatMap(
    ({ framing, messages }) =>
      messages.flatMap(({ hex, plain }) => [
        ...(plain === undefined ? [] : [plain]),
        ...(framing === "wrapper" && hex !== undefined ? [hex.slice(16)] : []),
      ]),
  ),
].map(fromHex);

/** A load profile's answer: most of what is ever read looks like it. */
const ROW = "0204090c07ea0b170110000000ffc4001100060000303906000004d2";
const PROFILE_ANSWER = fromHex(`c401c1000108${ROW.repeat(8)}`);
/** Services of which there are no recordings: short names, reports, ACCESS, computed by hand. */
const BY_HAND = [
  "05020201000401080111ff",
  "050106010001020102",
  "0c04001105010402010002020a0b030007",
  "0602020108070000010212000509020aff",
  "0d0300010c020001",
  "160102010801110a",
  "18010f32303236303132333132303030305a010201080111fe",
  "180c07ea0117050c000000000000010201080111fe",
  "104000000500",
  "c2010c07ea0117050c000000ffc40000030100010800ff021105",
  "da400000000000011105010100",
].map(fromHex);
const CORPUS: readonly Uint8Array[] = [...APDUS, ...BY_HAND, PROFILE_ANSWER, PROFILE_ANSWER, PROFILE_ANSWER];

const one = (random: Random): Uint8Array => CORPUS[below(random, CORPUS.length)] as Uint8Array;

/** Protects an APDU as a party that holds the keys would: what is inside may be anything. */
function sealed(apdu: Uint8Array, random: Random): Uint8Array {
  const form =
    cipheredTag(apdu[0] ?? 0, "global") !== undefined && chance(random, 0.5) ? "service-specific" : "general";
  const dress = { form, scope: "global", securityControl: AUTHENTICATED_ENCRYPTED } as const;
  return protectApdu(nodeCrypto, KEYS, dress, { systemTitle: TITLE, invocationCounter: random.uint32() }, apdu);
}

const ADDRESSES = {
  destination: { upper: 16, lower: undefined, octets: 1 },
  source: { upper: 1, lower: undefined, octets: 1 },
} as const;
const LLC = Uint8Array.of(0xe6, 0xe7, 0x00);
/** Octets of an HDLC frame's information. */
const INFORMATION_MAX = 2000;

/** A frame of HDLC, mutated as it stands, or its information with check sequences that fit. */
export function mutantHdlc(frame: Uint8Array, random: Random): Uint8Array {
  if (chance(random, 0.3)) return mutated(frame, random, one(random));
  const found = decode(HdlcFrameCodec, frame);
  const information = mutated(found.information, random, one(random)).subarray(0, INFORMATION_MAX);
  const control = chance(random, 0.2) ? below(random, 256) : found.control;
  return encode(HdlcFrameCodec, { ...found, control, information });
}

/** An APDU in an unnumbered or a numbered frame. */
function inHdlc(apdu: Uint8Array, random: Random): Uint8Array {
  const control = chance(random, 0.5) ? 0x13 : 0x30;
  const information = concat(LLC, apdu).subarray(0, INFORMATION_MAX);
  return encode(HdlcFrameCodec, { ...ADDRESSES, segmented: false, control, information });
}

/**
 * A mutant of a known frame: of the whole frame, of its APDU in a sound wrapper or HDLC frame, or of what a sound protection
 * holds, so that every layer gets its share.
 */
export function mutantFrame(random: Random): Uint8Array {
  const apdu = one(random);
  if (chance(random, 0.15)) {
    const frame = inHdlc(mutated(apdu, random, one(random)), random);
    return chance(random, 0.7) ? frame : mutantHdlc(frame, random);
  }
  const kind = below(random, 4);
  if (kind === 0) return mutated(wrap(1, 16, apdu), random, wrap(1, 16, one(random)));
  if (kind === 1) return wrap(1, 16, mutated(sealed(apdu, random), random, one(random)));
  const inside = mutated(apdu, random, one(random));
  return wrap(1, 16, kind === 2 || inside.length === 0 ? inside : sealed(inside, random));
}

/** A frame of a conversation, its APDU mutated: within its protection where the keys open it. */
export function mutantOf(frame: Uint8Array, keys: CipherKeys, title: Uint8Array, random: Random): Uint8Array {
  const { sourceWPort, destinationWPort, apdu } = decode(Wrapper, frame);
  const found = chance(random, 0.7) ? protectedApdu(apdu) : undefined;
  const opened = found && openContent(nodeCrypto, keys, title, found.content);
  if (found === undefined || opened?.kind !== "opened") {
    if (chance(random, 0.1)) return mutated(frame, random, one(random));
    return wrap(sourceWPort, destinationWPort, mutated(apdu, random, one(random)));
  }
  const dress = { form: found.form, scope: found.scope, securityControl: opened.securityControl };
  const sender = { systemTitle: title, invocationCounter: opened.invocationCounter };
  const inside = mutated(opened.apdu, random, one(random));
  const whole = inside.length === 0 ? opened.apdu : inside;
  return wrap(sourceWPort, destinationWPort, protectApdu(nodeCrypto, keys, dress, sender, whole));
}
