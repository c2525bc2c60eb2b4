import type { ConversationWatch } from "../../metering/driver.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { Aare, ASSOCIATION_RESULT } from "../aare.ts";
import { WrapperSplitter } from "../wrapper.ts";

const AARQ = 0x60;
const AARE = 0x61;
const RLRQ = 0x62;
const RLRE = 0x63;
const EXCEPTION_RESPONSE = 0xd8;

/** Whether this answer to an AARQ says that there is no association. */
function isRefusal(apdu: Uint8Array): boolean {
  if (apdu[0] === EXCEPTION_RESPONSE) return true;
  if (apdu[0] !== AARE) return false;
  try {
    return decode(Aare, apdu).result !== ASSOCIATION_RESULT.accepted;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

/**
 * A connection serves a conversation after another one only when the last was released and the release was answered, or
 * was refused at its first word: a meter answers in order, so nothing asked before can come later. What it pushes in
 * between is passed over.
 * `received` and `sent` throw `WireError` when the octets are no wrapper PDUs.
 */
export function conversationWatch(): ConversationWatch {
  const requests = new WrapperSplitter();
  const answers = new WrapperSplitter();
  let state: "rest" | "associating" | "talking" | "releasing" = "rest";
  return {
    sent(octets) {
      const first = state === "rest";
      state = "talking";
      for (const [index, { apdu }] of requests.push(octets).entries())
        if (apdu[0] === RLRQ) state = "releasing";
        else state = first && index === 0 && apdu[0] === AARQ ? "associating" : "talking";
    },
    received(octets) {
      for (const { apdu } of answers.push(octets))
        if (state === "releasing" && apdu[0] === RLRE) state = "rest";
        else if (state === "associating" && isRefusal(apdu)) state = "rest";
    },
    get atRest() {
      return state === "rest" && requests.pending === 0 && answers.pending === 0;
    },
  };
}
