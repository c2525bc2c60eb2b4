import type { ConversationWatch } from "../../metering/driver.ts";
import { WrapperSplitter } from "../wrapper.ts";

const RLRQ = 0x62;
const RLRE = 0x63;

/**
 * A connection serves a conversation after another one only when the last was released and the release was answered:
 * a meter answers in order, so nothing asked before can come later. What it pushes in between is passed over.
 * `received` and `sent` throw `WireError` when the octets are no wrapper PDUs.
 */
export function conversationWatch(): ConversationWatch {
  const requests = new WrapperSplitter();
  const answers = new WrapperSplitter();
  let state: "rest" | "talking" | "releasing" = "rest";
  return {
    sent(octets) {
      state = "talking";
      for (const { apdu } of requests.push(octets)) state = apdu[0] === RLRQ ? "releasing" : "talking";
    },
    received(octets) {
      for (const { apdu } of answers.push(octets)) if (state === "releasing" && apdu[0] === RLRE) state = "rest";
    },
    get atRest() {
      return state === "rest" && requests.pending === 0 && answers.pending === 0;
    },
  };
}
