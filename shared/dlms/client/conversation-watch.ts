import type { ConversationWatch } from "../../metering/driver.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { Aare, ASSOCIATION_RESULT } from "../aare.ts";
import { hdlcControlOf } from "../hdlc-frame.ts";
import { HdlcSplitter } from "../hdlc-splitter.ts";
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

/** Octets of HDLC begin with a flag; wrapper PDUs with their version. */
export const beginsHdlc = (octets: Uint8Array): boolean => octets[0] === 0x7e;

/**
 * A connection serves a conversation after another one only when the last was released and the release was answered, or
 * was refused at its first word: a meter answers in order, so nothing asked before can come later. What it pushes in
 * between is passed over. The framing is told by the first octets that the meter says, for what it is asked may be in the
 * wrong one.
 * `received` and `sent` throw `WireError` when the octets are no wrapper PDUs.
 */
export function conversationWatch(): ConversationWatch {
  let chosen: ConversationWatch | undefined;
  const asked: Uint8Array[] = [];
  const choose = (octets: Uint8Array): ConversationWatch => {
    if (chosen !== undefined) return chosen;
    const hdlc = beginsHdlc(octets);
    chosen = hdlc ? hdlcWatch() : wrapperWatch();
    for (const each of asked.splice(0)) if (beginsHdlc(each) === hdlc) chosen.sent(each);
    return chosen;
  };
  return {
    sent(octets) {
      if (chosen !== undefined) chosen.sent(octets);
      else if (asked.length < UNANSWERED_MAX) asked.push(octets.slice());
    },
    received: (octets) => choose(octets).received(octets),
    get atRest() {
      return chosen?.atRest ?? asked.length === 0;
    },
  };
}
/** What is asked before the meter has said anything: few frames, for then it is given up. */
const UNANSWERED_MAX = 16;

function wrapperWatch(): ConversationWatch {
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

/** HDLC ends with DISC and its answer; DM says that there is no link, so that nothing can be answered any more. */
function hdlcWatch(): ConversationWatch {
  const requests = new HdlcSplitter();
  const answers = new HdlcSplitter();
  const namesIn = (splitter: HdlcSplitter, octets: Uint8Array) =>
    splitter.push(octets).map(({ frame }) => hdlcControlOf(frame.control).name);
  let state: "rest" | "talking" | "releasing" = "rest";
  return {
    sent(octets) {
      state = "talking";
      for (const name of namesIn(requests, octets)) state = name === "DISC" ? "releasing" : "talking";
    },
    received(octets) {
      for (const name of namesIn(answers, octets))
        if (name === "DM" || (name === "UA" && state === "releasing")) state = "rest";
    },
    get atRest() {
      return state === "rest" && requests.pending === 0 && answers.pending === 0;
    },
  };
}
