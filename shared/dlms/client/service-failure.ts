import { type FailureReason, SessionError } from "../../metering/failure.ts";
import type { Retry } from "../../ports/errors.ts";
import { decode } from "../../wire/codec.ts";
import {
  CONFIRMED_SERVICE,
  ConfirmedServiceError,
  SERVICE_ERROR_CATEGORY,
  type SERVICE_ERROR_CODES,
  serviceErrorCodes,
} from "../confirmed-service-error.ts";
import { nameIn } from "../data-access-result.ts";
import { ExceptionResponse, SERVICE_ERROR, STATE_ERROR } from "../exception-response.ts";

export const EXCEPTION_RESPONSE_TAG = 0xd8;
export const CONFIRMED_SERVICE_ERROR_TAG = 0x0e;

type Fate = readonly [reason: FailureReason, retry: Retry, code?: string];

/** What an Exception-Response means for the task, by its service-error; the state-error adds nothing. */
export const EXCEPTION_FATES: Readonly<Record<keyof typeof SERVICE_ERROR, Fate>> = {
  "operation-not-possible": ["refused", "later"],
  "service-not-supported": ["unsupported", "never"],
  "other-reason": ["refused", "never"],
  "pdu-too-long": ["unsupported", "never"],
  "deciphering-error": ["auth", "never", "dlms.deciphering-refused"],
  "invocation-counter-error": ["auth", "later", "dlms.counter-refused"],
};

const NEVER: Fate = ["refused", "never"];
const LATER: Fate = ["refused", "later"];
const UNSUPPORTED: Fate = ["unsupported", "never"];

/** What a ConfirmedServiceError means for the task, by category and code. */
export const SERVICE_ERROR_FATES: {
  readonly [C in keyof typeof SERVICE_ERROR_CODES]: Readonly<Record<keyof (typeof SERVICE_ERROR_CODES)[C], Fate>>;
} = {
  "application-reference": {
    other: NEVER,
    "time-elapsed": ["timeout", "later"],
    "application-unreachable": ["unreachable", "later"],
    "application-reference-invalid": UNSUPPORTED,
    "application-context-unsupported": UNSUPPORTED,
    "provider-communication-error": ["interrupted", "later"],
    "deciphering-error": ["auth", "never", "dlms.deciphering-refused"],
  },
  "hardware-resource": {
    other: LATER,
    "memory-unavailable": LATER,
    "processor-resource-unavailable": LATER,
    "mass-storage-unavailable": LATER,
    "other-resource-unavailable": LATER,
  },
  "vde-state-error": {
    other: LATER,
    "no-dlms-context": ["interrupted", "later"],
    "loading-data-set": LATER,
    "status-nochange": NEVER,
    "status-inoperable": NEVER,
  },
  service: { other: NEVER, "pdu-size": UNSUPPORTED, "service-unsupported": UNSUPPORTED },
  definition: {
    other: NEVER,
    "object-undefined": NEVER,
    "object-class-inconsistent": NEVER,
    "object-attribute-inconsistent": NEVER,
  },
  access: {
    other: NEVER,
    "scope-of-access-violated": NEVER,
    "object-access-invalid": NEVER,
    "hardware-fault": NEVER,
    "object-unavailable": LATER,
  },
  initiate: {
    other: NEVER,
    "dlms-version-too-low": UNSUPPORTED,
    "incompatible-conformance": UNSUPPORTED,
    "pdu-size-too-short": UNSUPPORTED,
    "refused-by-the-VDE-handler": LATER,
  },
  "load-data-set": {
    other: NEVER,
    "primitive-out-of-sequence": NEVER,
    "not-loadable": NEVER,
    "dataset-size-too-large": NEVER,
    "not-awaited-segment": NEVER,
    "interpretation-failure": NEVER,
    "storage-failure": NEVER,
    "data-set-not-ready": LATER,
  },
  task: {
    other: NEVER,
    "no-remote-control": NEVER,
    "ti-stopped": LATER,
    "ti-running": LATER,
    "ti-unusable": NEVER,
  },
};

/** In clear in a ciphered session it may be anybody's: it ends the conversation, but is no definite refusal. */
const told = (fate: Fate, proved: boolean): Fate => (proved || fate[0] === "auth" ? fate : ["protocol", "later"]);

/** `proved`: nothing of the session is protected, or this was. */
export function exceptionError(exception: ExceptionResponse, proved: boolean): SessionError {
  const detail = {
    stateError: nameIn(STATE_ERROR, exception.stateError),
    serviceError: nameIn(SERVICE_ERROR, exception.serviceError),
    ...(exception.invocationCounterError === undefined ? {} : { expectedCounter: exception.invocationCounterError }),
  };
  const fate = (EXCEPTION_FATES as Readonly<Record<string, Fate>>)[detail.serviceError] ?? NEVER;
  const [reason, retry, code = "dlms.exception-response"] = told(fate, proved);
  const message = `the meter answered exception-response ${detail.stateError}, ${detail.serviceError}`;
  return new SessionError(reason, code, message, { retry, detail });
}

export function confirmedServiceError(error: ConfirmedServiceError, proved: boolean): SessionError {
  const category = nameIn(SERVICE_ERROR_CATEGORY, error.serviceError);
  const detail = {
    service: nameIn(CONFIRMED_SERVICE, error.confirmedServiceError),
    category,
    error: nameIn(serviceErrorCodes(error.serviceError), error.value),
  };
  const fates = (SERVICE_ERROR_FATES as Readonly<Record<string, Readonly<Record<string, Fate>>>>)[category];
  const [reason, retry, code = "dlms.confirmed-service-error"] = told(fates?.[detail.error] ?? NEVER, proved);
  const message = `the meter answered confirmed-service-error ${detail.service}, ${category}, ${detail.error}`;
  return new SessionError(reason, code, message, { retry, detail });
}

/** The failure that an APDU in clear tells; undefined: it is another one. Throws `WireError` when malformed. */
export function failureIn(apdu: Uint8Array, proved: boolean): SessionError | undefined {
  if (apdu[0] === EXCEPTION_RESPONSE_TAG) return exceptionError(decode(ExceptionResponse, apdu), proved);
  if (apdu[0] === CONFIRMED_SERVICE_ERROR_TAG)
    return confirmedServiceError(decode(ConfirmedServiceError, apdu), proved);
  return undefined;
}
