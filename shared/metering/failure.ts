import { HeadraceError, type Retry } from "../ports/errors.ts";

/**
 * Why a task did not end `done`. The words are the API's; the order is stored (five bits a slot): append, never reorder.
 * At most 32.
 */
export const FAILURES = {
  none: { retry: "never", hint: "" },
  unreachable: {
    retry: "later",
    hint: "No connection. Check the address, the network card and the carrier; ping the meter.",
  },
  timeout: { retry: "later", hint: "Connected, but no answer in time. Check signal quality and the meter's load." },
  refused: { retry: "never", hint: "The meter refused definitively. Check its access rights and the device profile." },
  auth: {
    retry: "never",
    hint: "Keys, system title or proof did not match. Check the meter's key version; suspect a meter exchange.",
  },
  interrupted: { retry: "later", hint: "The connection was lost in the middle of a conversation. Check the network." },
  protocol: {
    retry: "later",
    hint: "The meter answered something malformed or out of order. Keep the frames and check the device profile.",
  },
  busy: { retry: "later", hint: "Somebody else holds the meter. It is tried again when the hold ends." },
  unsafe: { retry: "never", hint: "A guard or a safety check said no." },
  unverified: { retry: "never", hint: "The effect could not be proved. Treat the state as unknown and check on site." },
  unsupported: { retry: "never", hint: "The meter or its device profile does not offer this." },
  superseded: { retry: "never", hint: "A newer order for the same meter was accepted." },
  "route-lost": { retry: "later", hint: "The meter's own connection is gone; it is tried again when the meter calls." },
  retired: { retry: "never", hint: "The meter is not enrolled any more." },
  internal: { retry: "later", hint: "A fault of the headend. See the logs by job and segment." },
  sleeping: { retry: "later", hint: "The endpoint sleeps; it is reached at its next wake." },
  "no-effect": {
    retry: "never",
    hint: "The meter was asked twice and shows that nothing happened. Check the meter and its device profile.",
  },
  "no-match": {
    retry: "never",
    hint: "The meter does not match the job's stored query any more. Nothing was asked of it.",
  },
  guarded: {
    retry: "later",
    hint: "A guard's cap is reached. It goes on as soon as there is room, until the deadline.",
  },
  "meter-silent": {
    retry: "later",
    hint: "The network card answers, the meter behind it does not. Check the meter itself, and its link to the card.",
  },
} as const satisfies Record<string, { readonly retry: Retry; readonly hint: string }>;

export type FailureReason = keyof typeof FAILURES;
export const FAILURE_REASONS = Object.keys(FAILURES) as readonly FailureReason[];

/** What a driver throws when a conversation cannot go on. `code` is dotted and more precise than `reason`. */
export class SessionError extends HeadraceError {
  readonly reason: FailureReason;
  constructor(
    reason: FailureReason,
    code: string,
    message: string,
    options: { readonly cause?: unknown; readonly detail?: object; readonly retry?: Retry } = {},
  ) {
    super(code, message, { retry: options.retry ?? FAILURES[reason].retry, ...options });
    this.reason = reason;
  }
}
