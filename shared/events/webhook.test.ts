import { describe, expect, it } from "vitest";
import { MeterId } from "../metering/meter.ts";
import { wants } from "./subscription.ts";
import { cloudEvents, judgeDelivery } from "./webhook.ts";

describe("a subscription's filter", () => {
  it.each([
    [{}, true],
    [{ events: ["power.last-gasp" as const] }, true],
    [{ events: ["clock.changed" as const] }, false],
    [{ severities: ["alarm" as const] }, true],
    [{ severities: ["info" as const] }, false],
    [{ groups: ["north", "south"] }, true],
    [{ groups: ["west"] }, false],
    [{ severities: ["alarm" as const], feeders: ["F2"] }, false],
    [{ severities: ["alarm" as const], feeders: ["F1"], groups: ["north"] }, true],
  ])("%j", (filter, fits) => {
    expect(wants(filter, "power.last-gasp", { groups: ["north"], feeder: "F1" })).toBe(fits);
  });

  it("that names places leaves out a meter that belongs nowhere", () => {
    expect(wants({ groups: ["north"] }, "power.last-gasp", undefined)).toBe(false);
    expect(wants({}, "power.last-gasp", undefined)).toBe(true);
  });
});

describe("a delivery", () => {
  it("is over with a 2xx, and for good with a 410; a redirection is a failure like any other", () => {
    expect(judgeDelivery({ kind: "answered", status: 204 }, 1, 0)).toEqual({ kind: "delivered" });
    expect(judgeDelivery({ kind: "answered", status: 410 }, 1, 0)).toEqual({ kind: "gone" });
    expect(judgeDelivery({ kind: "answered", status: 302 }, 1, 0)).toMatchObject({ kind: "again" });
  });

  it("is tried again after ever longer rests, for more than a day, then it is dead with its reason", () => {
    const rests: number[] = [];
    let attempt = 1;
    for (; ; attempt++) {
      const verdict = judgeDelivery({ kind: "answered", status: 503 }, attempt, 0);
      if (verdict.kind === "dead") {
        expect(verdict.problem).toBe(`the endpoint answered 503, ${attempt} times`);
        break;
      }
      if (verdict.kind === "again") rests.push(verdict.afterMs);
    }
    expect(rests).toEqual([...rests].sort((left, right) => left - right));
    expect(rests.reduce((sum, rest) => sum + rest, 0)).toBeGreaterThan(24 * 3_600_000);
    expect(Math.max(...rests)).toBeLessThan(12 * 3_600_000);
  });

  it("waits as long as the endpoint asks for, within what a queue can", () => {
    const asked = { kind: "answered", status: 429, retryAfterMs: 600_000 } as const;
    expect(judgeDelivery(asked, 1, 0.5)).toMatchObject({ afterMs: 600_000 });
    expect(judgeDelivery({ ...asked, retryAfterMs: 1e9 }, 1, 0)).toMatchObject({ afterMs: 11.5 * 3_600_000 });
  });

  it("holds CloudEvents with the catalogue's and the meter's own code", () => {
    const body = cloudEvents("/headrace/test", [
      {
        id: "m-1/abc",
        meterId: MeterId.parse("m-1"),
        event: "power.last-gasp",
        at: 0,
        receivedAt: 1_000,
        log: "alarms-2",
        code: "0",
      },
    ]);
    expect(JSON.parse(body)).toMatchObject([
      {
        specversion: "1.0",
        id: "m-1/abc",
        source: "/headrace/test",
        type: "io.headrace.event.device.v1",
        subject: "m-1",
        time: "1970-01-01T00:00:00.000Z",
        data: { event: "power.last-gasp", severity: "alarm", code: "0", receivedAt: "1970-01-01T00:00:01.000Z" },
      },
    ]);
  });
});
