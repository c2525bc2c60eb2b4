import { describe, expect, it } from "vitest";
import { FAILURES } from "../metering/failure.ts";
import { RESPONSE_CODES, responseCode, responseName } from "./response-code.ts";

/** Codes and what they mean to a task, written down a second time: a change has to be meant. */
const MEANINGS = [
  [1, "err", "refused", "never"],
  [2, "sns", "unsupported", "never"],
  [3, "isc", "auth", "never"],
  [4, "onp", "refused", "never"],
  [5, "iar", "refused", "never"],
  [6, "bsy", "busy", "later"],
  [7, "dnr", "refused", "later"],
  [8, "dlk", "refused", "later"],
  [9, "rno", "protocol", "later"],
  [10, "isss", "protocol", "never"],
  [11, "sme", "auth", "never"],
  [12, "uat", "unreachable", "later"],
  [13, "nett", "timeout", "later"],
  [14, "netr", "unreachable", "later"],
  [15, "rqtl", "protocol", "never"],
  [16, "rstl", "protocol", "never"],
  [17, "sgnp", "protocol", "never"],
  [18, "sgerr", "protocol", "later"],
] as const;

describe("response codes", () => {
  it.each(MEANINGS)("%i is %s, to a task %s, to be tried again %s", (code, name, reason, retry) => {
    expect(RESPONSE_CODES[code]).toMatchObject({ name, reason, retry });
    expect(Object.keys(FAILURES)).toContain(reason);
    expect([responseName(code), responseCode(name)]).toEqual([name, code]);
  });
  it("are all of them, and what is none is named by its number", () => {
    expect(Object.keys(RESPONSE_CODES)).toHaveLength(MEANINGS.length);
    expect([responseName(0), responseName(19)]).toEqual(["ok", "unknown-19"]);
  });
});
