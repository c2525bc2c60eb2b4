import { type Codec, prefixed } from "../wire/codec.ts";
import { unsigned8, unsigned32 } from "../wire/integers.ts";

export const STATE_ERROR = { "service-not-allowed": 1, "service-unknown": 2 } as const;
export const SERVICE_ERROR = {
  "operation-not-possible": 1,
  "service-not-supported": 2,
  "other-reason": 3,
  "pdu-too-long": 4,
  "deciphering-error": 5,
  "invocation-counter-error": 6,
} as const;

export interface ExceptionResponse {
  readonly stateError: number;
  readonly serviceError: number;
  /** With `invocation-counter-error`: the least counter that the server accepts. */
  readonly invocationCounterError: number | undefined;
}

const fields: Codec<ExceptionResponse> = {
  read: (source) => {
    const stateError = unsigned8.read(source);
    const serviceError = unsigned8.read(source);
    const counted = serviceError === SERVICE_ERROR["invocation-counter-error"];
    return { stateError, serviceError, invocationCounterError: counted ? unsigned32.read(source) : undefined };
  },
  write: (target, { stateError, serviceError, invocationCounterError }) => {
    unsigned8.write(target, stateError);
    unsigned8.write(target, serviceError);
    if (serviceError === SERVICE_ERROR["invocation-counter-error"])
      unsigned32.write(target, invocationCounterError ?? 0);
  },
};

/** IEC 62056-5-3, Exception-Response, APDU tag 216. */
export const ExceptionResponse = prefixed("Exception-Response", 0xd8, fields);
