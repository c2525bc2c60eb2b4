import { frameLayers, framingOf } from "../../functions/decode/frame-layers.ts";
import { decodeApdu } from "../../shared/dlms/apdu.ts";
import { HdlcFrameCodec, llcOf } from "../../shared/dlms/hdlc-frame.ts";
import { protectedApdu } from "../../shared/dlms/security/apdu-protection.ts";
import { GeneralCiphering, GeneralSigning } from "../../shared/dlms/security/ciphered-apdu.ts";
import { openContent } from "../../shared/dlms/security/protection.ts";
import { Wrapper } from "../../shared/dlms/wrapper.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { decode } from "../../shared/wire/codec.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { fuzzedConversation } from "./dlms-conversation.ts";
import { KEYS, mutantFrame, TITLE } from "./dlms-frames.ts";
import type { Fuzzer } from "./fuzzer.ts";

const SECRETS = {
  keys: [KEYS.encryption],
  authenticationKeys: [KEYS.authentication],
  dedicatedKeys: [],
  titles: [TITLE],
};

const holdsData = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !(value instanceof Uint8Array) &&
  (("type" in value && "value" in value) || Object.values(value).some(holdsData));

/** The APDU that a frame of either framing carries; undefined: it carries none of its own. */
function apduOf(frame: Uint8Array): Uint8Array | undefined {
  if (framingOf(frame) !== "hdlc") return decode(Wrapper, frame).apdu;
  return llcOf(decode(HdlcFrameCodec, frame).information)?.apdu;
}

/** What is inside of all protection; undefined: it does not open. */
function opened(apdu: Uint8Array): Uint8Array | undefined {
  if (apdu[0] === 0xdf) return opened(decode(GeneralSigning, apdu).content);
  if (apdu[0] === 0xdd) {
    const { cipheredContent } = decode(GeneralCiphering, apdu);
    const content = openContent(nodeCrypto, KEYS, TITLE, cipheredContent);
    return content.kind === "opened" ? content.apdu : undefined;
  }
  const found = protectedApdu(apdu);
  if (found === undefined) return apdu;
  const content = openContent(nodeCrypto, KEYS, TITLE, found.content);
  return content.kind === "opened" ? content.apdu : undefined;
}

/** One of so many frames goes through the decode tool as well, which shows every layer. */
const SHOWN_OF = 8;

function decodeMutant(frame: Uint8Array): number {
  let depth = 0;
  try {
    const apdu = apduOf(frame);
    depth = 1;
    if (frame.length % SHOWN_OF === 0) frameLayers(frame, framingOf(frame), SECRETS);
    const clear = apdu && opened(apdu);
    if (clear === undefined) return depth;
    const { value } = decodeApdu(clear);
    depth = 2;
    return holdsData(value) ? 3 : depth;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return depth;
  }
}

export const dlmsFuzzer: Fuzzer = {
  protocol: "dlms",
  mutant: mutantFrame,
  decode: decodeMutant,
  conversation: fuzzedConversation,
};
