import type { Codec } from "../wire/codec.ts";
import { unsigned8 } from "../wire/integers.ts";

/** IEC 62056-5-3, Data-Access-Result. */
export const DATA_ACCESS_RESULT = {
  success: 0,
  "hardware-fault": 1,
  "temporary-failure": 2,
  "read-write-denied": 3,
  "object-undefined": 4,
  "object-class-inconsistent": 9,
  "object-unavailable": 11,
  "type-unmatched": 12,
  "scope-of-access-violated": 13,
  "data-block-unavailable": 14,
  "long-get-aborted": 15,
  "no-long-get-in-progress": 16,
  "long-set-aborted": 17,
  "no-long-set-in-progress": 18,
  "data-block-number-invalid": 19,
  "other-reason": 250,
} as const;

/** IEC 62056-5-3, Action-Result. */
export const ACTION_RESULT = {
  success: 0,
  "hardware-fault": 1,
  "temporary-failure": 2,
  "read-write-denied": 3,
  "object-undefined": 4,
  "object-class-inconsistent": 9,
  "object-unavailable": 11,
  "type-unmatched": 12,
  "scope-of-access-violated": 13,
  "data-block-unavailable": 14,
  "long-action-aborted": 15,
  "no-long-action-in-progress": 16,
  "other-reason": 250,
} as const;

/** Results that say "not now": asking again can help. */
export const isTransient = (dataAccessResult: number): boolean => TRANSIENT.includes(dataAccessResult);
const TRANSIENT: readonly number[] = [
  DATA_ACCESS_RESULT["temporary-failure"],
  DATA_ACCESS_RESULT["data-block-unavailable"],
  DATA_ACCESS_RESULT["long-get-aborted"],
  DATA_ACCESS_RESULT["no-long-get-in-progress"],
  DATA_ACCESS_RESULT["data-block-number-invalid"],
];

/** The standard's name of a number; `unknown-N` for one that it does not define. */
export const nameIn = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? `unknown-${value}`;

/** Any octet is read: a result that we do not know is still a refusal, and says so. */
export const DataAccessResult: Codec<number> = unsigned8;
export const ActionResult: Codec<number> = unsigned8;
