import type { FailureReason } from "../metering/failure.ts";
import type { Retry } from "../ports/errors.ts";

/** One response code: its short name, and what it means to a task. */
export interface ResponseCode {
  readonly name: string;
  readonly reason: FailureReason;
  readonly retry: Retry;
  /** The meter says that it will not do this one thing: a refusal of the item, not a failure of the conversation. */
  readonly definite?: boolean;
}

/** All response codes of EPSEM services but `ok`. */
export const RESPONSE_CODES: Readonly<Record<number, ResponseCode>> = {
  1: { name: "err", reason: "refused", retry: "never", definite: true },
  2: { name: "sns", reason: "unsupported", retry: "never", definite: true },
  3: { name: "isc", reason: "auth", retry: "never" },
  4: { name: "onp", reason: "refused", retry: "never", definite: true },
  5: { name: "iar", reason: "refused", retry: "never", definite: true },
  6: { name: "bsy", reason: "busy", retry: "later" },
  7: { name: "dnr", reason: "refused", retry: "later" },
  8: { name: "dlk", reason: "refused", retry: "later" },
  9: { name: "rno", reason: "protocol", retry: "later" },
  10: { name: "isss", reason: "protocol", retry: "never" },
  11: { name: "sme", reason: "auth", retry: "never" },
  12: { name: "uat", reason: "unreachable", retry: "later" },
  13: { name: "nett", reason: "timeout", retry: "later" },
  14: { name: "netr", reason: "unreachable", retry: "later" },
  15: { name: "rqtl", reason: "protocol", retry: "never" },
  16: { name: "rstl", reason: "protocol", retry: "never" },
  17: { name: "sgnp", reason: "protocol", retry: "never" },
  18: { name: "sgerr", reason: "protocol", retry: "later" },
};
export const OK = 0;

export const responseName = (code: number): string =>
  code === OK ? "ok" : (RESPONSE_CODES[code]?.name ?? `unknown-${code}`);
/** The code of a short name. */
export function responseCode(name: string): number {
  const found = Object.entries(RESPONSE_CODES).find(([, entry]) => entry.name === name);
  return found === undefined ? 1 : Number(found[0]);
}
