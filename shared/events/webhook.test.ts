import { describe, expect, it } from "vitest";
import { MeterId } from "../metering/meter.ts";
import { mayBeTold, type Subscription, wants } from "./subscription.ts";
import { gasp, JOB_NEWS, OUTAGE_NEWS, subscription } from "./subscription-fixture.ts";
import { cloudEvents, judgeDelivery, stormEvent } from "./webhook.ts";

describe("a subscription's filter", () => {
  const member = { segment: 7, groups: ["north"], feeder: "F1" };
  it.each([
    [{}, true],
    [{ kinds: ["device" as const] }, true],
    [{ kinds: ["job" as const, "outage" as const] }, false],
    [{ events: ["power.last-gasp" as const] }, true],
    [{ events: ["clock.changed" as const] }, false],
    [{ codes: ["3.26.136.47"] }, true],
    [{ codes: ["3.26.0.47"] }, false],
    [{ severities: ["alarm" as const] }, true],
    [{ severities: ["info" as const] }, false],
    [{ meters: ["M-1"] }, true],
    [{ meters: ["M-2"] }, false],
    [{ groups: ["north", "south"] }, true],
    [{ groups: ["west"] }, false],
    [{ segments: [7] }, true],
    [{ segments: [8] }, false],
    [{ severities: ["alarm" as const], feeders: ["F2"] }, false],
    [{ severities: ["alarm" as const], feeders: ["F1"], groups: ["north"] }, true],
  ])("%j", (filter, fits) => {
    expect(wants(filter, gasp("M-1"), member)).toBe(fits);
  });

  it("that names places leaves out a meter that belongs nowhere", () => {
    expect(wants({ groups: ["north"] }, gasp("M-1"), undefined)).toBe(false);
    expect(wants({}, gasp("M-1"), undefined)).toBe(true);
  });

  it.each([
    [{}, true, true],
    [{ feeders: ["F1"] }, true, false],
    [{ feeders: ["F2"] }, false, false],
    [{ groups: ["north"] }, false, false],
    [{ codes: ["3.26.0.47"] }, true, false],
    [{ meters: ["M-2"] }, true, false],
    [{ severities: ["warning" as const] }, false, true],
    [{ events: ["power.failed" as const] }, false, false],
  ])("%j, of an outage at F1 and of a job with failures", (filter, outage, job) => {
    expect([wants(filter, OUTAGE_NEWS, undefined), wants(filter, JOB_NEWS, undefined)]).toEqual([outage, job]);
  });

  it("tells another system of outages and of its own jobs alone, and people of everything", () => {
    const of = (id: string, roles: string[]): Subscription => ({ ...subscription("s"), owner: { id, roles } });
    const told = (one: Subscription) => [gasp("M-1"), OUTAGE_NEWS, JOB_NEWS].map((event) => mayBeTold(one, event));
    expect(told(of("market", ["subscriber"]))).toEqual([false, true, false]);
    expect(told(of(JOB_NEWS.callerId, ["subscriber"]))).toEqual([false, true, true]);
    expect(told(of("ada", ["administrator"]))).toEqual([true, true, true]);
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

  it("waits as long as the endpoint asks for, within half a day", () => {
    const asked = { kind: "answered", status: 429, retryAfterMs: 600_000 } as const;
    expect(judgeDelivery(asked, 1, 0.5)).toMatchObject({ afterMs: 600_000 });
    expect(judgeDelivery({ ...asked, retryAfterMs: 1e9 }, 1, 0)).toMatchObject({ afterMs: 11.5 * 3_600_000 });
  });

  it("holds CloudEvents with the catalogue's and the meter's own code", () => {
    expect(JSON.parse(cloudEvents("/headrace/test", [gasp("M-1"), OUTAGE_NEWS, JOB_NEWS]))).toMatchObject([
      {
        specversion: "1.0",
        id: gasp("M-1").id,
        source: "/headrace/test",
        type: "io.headrace.event.device.v1",
        subject: "M-1",
        time: "1970-01-01T00:00:00.000Z",
        data: {
          event: "power.last-gasp",
          severity: "alarm",
          endDeviceEventType: "3.26.136.47",
          code: "0",
          receivedAt: "1970-01-01T00:00:01.000Z",
        },
      },
      { type: "io.headrace.outage.v1", subject: OUTAGE_NEWS.outageId, data: OUTAGE_NEWS.body },
      { type: "io.headrace.job.closed.v1", subject: JOB_NEWS.jobId, data: { tasks: JOB_NEWS.tasks } },
    ]);
  });

  it("of a storm says how many, names some, and where all are found", () => {
    const storm = {
      subscriptionId: "s",
      stormId: "1~power.last-gasp~F1",
      event: "power.last-gasp",
      feeder: "F1",
      count: 812,
      meterIds: [MeterId.parse("M-1")],
      firstAt: 0,
      lastAt: 5_000,
    } as const;
    expect(JSON.parse(stormEvent("/headrace/test", "x", storm))).toMatchObject([
      {
        type: "io.headrace.event.device-storm.v1",
        subject: "F1",
        data: {
          event: "power.last-gasp",
          count: 812,
          meters: ["M-1"],
          firstAt: "1970-01-01T00:00:00.000Z",
          events: "/subscriptions/s/storms/1~power.last-gasp~F1",
        },
      },
    ]);
  });
});
