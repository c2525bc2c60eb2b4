import { describe, expect, it } from "vitest";
import { FAILURES } from "../../metering/failure.ts";
import { encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import {
  CONFIRMED_SERVICE,
  ConfirmedServiceError,
  SERVICE_ERROR_CATEGORY,
  SERVICE_ERROR_CODES,
} from "../confirmed-service-error.ts";
import { ExceptionResponse, SERVICE_ERROR, STATE_ERROR } from "../exception-response.ts";
import { EXCEPTION_FATES, failureIn, SERVICE_ERROR_FATES } from "./service-failure.ts";

const exception = (serviceError: number, stateError = 1): Uint8Array =>
  encode(ExceptionResponse, { stateError, serviceError, invocationCounterError: serviceError === 6 ? 305 : undefined });
const serviceError = (category: number, value: number, service: number = CONFIRMED_SERVICE.read): Uint8Array =>
  encode(ConfirmedServiceError, { confirmedServiceError: service, serviceError: category, value });

describe("an exception-response", () => {
  it.each(Object.entries(SERVICE_ERROR))("that says %s ends the task as the table says", (name, code) => {
    const [reason, retry, named = "dlms.exception-response"] = EXCEPTION_FATES[name as keyof typeof SERVICE_ERROR];
    for (const [state, stateError] of Object.entries(STATE_ERROR)) {
      const failure = failureIn(exception(code, stateError), true);
      expect(failure).toMatchObject({ reason, retry, code: named, detail: { stateError: state, serviceError: name } });
    }
  });

  it("brings the counter that the meter expects", () =>
    expect(failureIn(exception(6), false)).toMatchObject({
      code: "dlms.counter-refused",
      reason: "auth",
      retry: "later",
      detail: { expectedCounter: 305 },
    }));

  it.each([1, 2, 3, 4, 77])("number %i in clear in a ciphered session is never a definite refusal", (code) =>
    expect(failureIn(exception(code), false)).toMatchObject({ reason: "protocol", retry: "later" }),
  );

  it("with a number that nobody defines is a refusal", () =>
    expect(failureIn(exception(77), true)).toMatchObject({
      reason: "refused",
      detail: { serviceError: "unknown-77" },
    }));
});

describe("a confirmed-service-error", () => {
  const rows = Object.entries(SERVICE_ERROR_CODES).flatMap(([category, codes]) =>
    Object.entries(codes).map(([name, code]) => [category, name, code] as const),
  );
  it.each(rows)("of %s that says %s ends the task as the table says", (category, name, code) => {
    const fates = SERVICE_ERROR_FATES as Readonly<
      Record<string, Readonly<Record<string, readonly [string, string, string?]>>>
    >;
    const [reason, retry, named = "dlms.confirmed-service-error"] = fates[category]?.[name] ?? [];
    expect(reason).toBeOneOf(Object.keys(FAILURES));
    const octets = serviceError(SERVICE_ERROR_CATEGORY[category as keyof typeof SERVICE_ERROR_CATEGORY], code);
    const detail = { service: "read", category, error: name };
    expect(failureIn(octets, true)).toMatchObject({ reason, retry, code: named, detail });
    if (reason !== "auth") expect(failureIn(octets, false)).toMatchObject({ reason: "protocol", retry: "later" });
  });

  it("of a category that nobody defines is a refusal", () =>
    expect(failureIn(serviceError(99, 1, 99), true)).toMatchObject({
      reason: "refused",
      detail: { service: "unknown-99", category: "unknown-99", error: "unknown-1" },
    }));
});

it("leaves other APDUs alone and refuses truncated ones", () => {
  expect(failureIn(Uint8Array.of(0xc4, 1), true)).toBeUndefined();
  expect(() => failureIn(Uint8Array.of(0xd8, 1), true)).toThrow(WireError);
  expect(() => failureIn(Uint8Array.of(0x0e, 1, 6), true)).toThrow(WireError);
});
