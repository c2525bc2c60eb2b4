import { describe, expect, it } from "vitest";
import { fieldErrorsOf } from "./field-errors.ts";
import { routes } from "./routes.ts";

const complaints = (schema: (typeof routes.submitJob | typeof routes.enrolMeter)["request"], input: unknown) => {
  const { error } = schema.safeParse(input);
  return error === undefined ? [] : fieldErrorsOf(error, input, "body");
};

const meter = {
  meterId: "M-1",
  commodity: "electric",
  serial: "1",
  profile: "generic-eu",
  routes: [{ kind: "dial", host: "127.0.0.1", port: 4059 }],
};

describe("field errors", () => {
  it("name the alternatives of a discriminator", () => {
    expect(complaints(routes.submitJob.request, { operation: { kind: "open" }, target: { kind: "all" } })).toEqual([
      {
        field: "operation.kind",
        expected:
          "one of readRegisters, readIntervals, ping, resetDemand, readEvents, readVoltage, readSwitch, setClock, readBilling, operateSwitch, controlLoad, readPowerLimit, setPowerLimit, configurePush, programTariff, readTariff, sendPrice, readCredit, addCredit, deliverToken",
        received: "open",
      },
    ]);
  });

  it("name a missing field and an unknown one", () => {
    expect(
      complaints(routes.submitJob.request, {
        operation: { kind: "readRegisters" },
        target: { kind: "group" },
        lanes: "x",
      }),
    ).toEqual([
      { field: "target.group", expected: "string", received: "nothing" },
      { field: "lanes", expected: "no such field" },
    ]);
  });

  it("say what a whole body should have been", () => {
    expect(complaints(routes.submitJob.request, null)).toEqual([
      { field: "body", expected: "object", received: "null" },
    ]);
  });

  it("join the alternatives of a union", () => {
    const [error] = complaints(routes.enrolMeter.request, { ...meter, routes: [{ ...meter.routes[0], host: "a b" }] });
    expect(error).toEqual({
      field: "routes.0.host",
      expected: "an IPv4 address or an IPv6 address or a host name",
      received: "a b",
    });
  });

  it("never echo a key", () => {
    const unicast = "00112233445566778899aabbccddee";
    const errors = complaints(routes.enrolMeter.request, { ...meter, keys: { unicast, [unicast]: 1 } });
    expect(errors.map((error) => error.field)).toContain("keys.unicast");
    expect(errors.every((error) => error.received === undefined)).toBe(true);
  });
});
