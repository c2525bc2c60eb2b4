import { describe, expect, it } from "vitest";
import { Exchange, RetirementRequest } from "../../shared/api/meters.ts";
import { displayReads, exchangeRequest, instantOf, missingOf, NO_METER } from "./take-away-request.ts";

describe("what a display showed", () => {
  it.each([
    ["electric", "98765", { value: "98765", scaler: 3 }],
    ["electric", "98765.4", { value: "987654", scaler: 2 }],
    ["water", "123,456", { value: "123456", scaler: -3 }],
    ["gas", " 7 ", { value: "7", scaler: 0 }],
  ] as const)("of %s, %s, is kept digit by digit", (commodity, shown, read) => {
    const reads = displayReads(commodity, shown);
    expect(reads).toMatchObject([read]);
    const body = { at: "2026-11-02T10:07:00.000Z", reason: "gone", finalReads: reads };
    expect(RetirementRequest.safeParse(body).success).toBe(true);
  });

  it("is none where it could not be read, and refused where it is no number", () => {
    expect(displayReads("gas", "")).toEqual([]);
    expect(displayReads("gas", "1.2.3")).toBeUndefined();
    expect(displayReads("gas", "-1")).toBeUndefined();
  });
});

it("an exchange is asked for as the API takes it, with what was typed", () => {
  const meter = { ...NO_METER, meterId: "M-71", serial: " S-71 ", profile: "generic-eu", host: "10.0.0.1" };
  expect(missingOf(NO_METER)).toEqual(["meterId", "serial", "profile", "host"]);
  expect(missingOf(meter)).toEqual([]);
  const rest = { at: instantOf("2026-11-02T10:07") ?? "", reason: "broken", finalReads: [], startReads: [] };
  const request = exchangeRequest("electric", { ...meter, unicast: "00".repeat(16) }, rest);
  expect(Exchange.parse(request)).toMatchObject({
    at: Date.parse("2026-11-02T10:07:00Z"),
    meter: { meterId: "M-71", serial: "S-71", routes: [{ port: 4059 }], keys: { unicast: "00".repeat(16) } },
  });
  expect(instantOf("")).toBeUndefined();
});
