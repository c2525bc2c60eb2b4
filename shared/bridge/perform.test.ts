import { describe, expect, it } from "vitest";
import type { AccessItem } from "../jobs/access.ts";
import type { Driver, SessionContext } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import { MeterId } from "../metering/meter.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { IntervalSet } from "../metering/result.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import { driverRegistry } from "./driver-registry.ts";
import { perform } from "./perform.ts";
import { FRAMES_KEPT_OCTETS, type Said, taskReport } from "./task-report.ts";

const QUARTER = 900_000;
const T0 = 1_000 * QUARTER;
const ITEM: AccessItem = {
  segment: 1,
  slot: 2,
  meterId: MeterId.parse("M-1"),
  routes: [{ kind: "dial", host: "::1", port: 4059, transport: "tcp" }],
  profile: { name: "generic-eu", version: 1 },
  counterOffset: 0n,
  releasedBase: 0n,
  lastOrder: 0,
  flags: { medical: false, priority: false, moratorium: false },
};
const part = (from: number, to: number, channelSet = "load"): IntervalSet => ({
  channelSet,
  period: 900,
  channels: [{ measurement: "energy.active.import.total", scaler: 0 }],
  entries: Array.from({ length: to - from }, (_, index) => ({
    end: T0 + (from + index) * QUARTER,
    values: [BigInt(from + index)],
    status: 0,
  })),
});

/** One try with a driver whose session does this. */
async function end(talk: (context: SessionContext<DeviceProfile>) => void): Promise<Said> {
  const driver: Driver = {
    protocol: "dlms",
    open: async (context) => ({
      perform: async () => {
        talk(context);
        return { registers: [], intervals: [part(0, 4)], refusals: [] };
      },
      release: async () => undefined,
    }),
  };
  const clock = { now: () => T0, sleep: async () => undefined };
  const link = { kind: "stream" as const, send: async () => undefined, receive: async () => Uint8Array.of(0) };
  const ports = {
    sessionClock: clock,
    random: seeded("perform"),
    crypto: nodeCrypto,
    profiles: async (name: string) => PROFILES.get(name),
    drivers: driverRegistry([driver]),
    vault: { open: async () => ({}) },
    dial: async () => ({ ...link, close: async () => undefined }),
    clientSystemTitle: "4844520000000001",
  };
  const operation = { kind: "readIntervals", range: { from: T0, to: T0 + 9 * QUARTER } } as const;
  const limits = { connectMs: 1, responseMs: 1 };
  const counters = { next: () => 1 };
  const told = await perform(ports, ITEM, counters, operation, 1, limits, new AbortController().signal);
  if (told.kind === "left") throw new Error("a try of a read says something");
  return told;
}

describe("a read that breaks off", () => {
  it("brings the parts that came, each channel set once and in order", async () => {
    const failed = await end(({ onIntervals }) => {
      onIntervals?.(part(2, 4));
      onIntervals?.(part(0, 3));
      onIntervals?.(part(0, 1, "daily"));
      throw new SessionError("interrupted", "link.closed", "the meter hung up");
    });
    const report = taskReport(ITEM, 1, T0, failed);
    expect(report.outcome).toMatchObject({ kind: "failed", reason: "interrupted" });
    expect(report.intervals?.map(({ set, values }) => [set, values])).toEqual([
      ["load", [[0n, 1n, 2n, 3n]]],
      ["daily", [[0n]]],
    ]);
  });

  it("before anything came brings nothing", async () => {
    const failed = await end(({ onIntervals }) => {
      onIntervals?.(part(0, 0));
      throw new SessionError("timeout", "link.timeout", "silence");
    });
    expect(taskReport(ITEM, 1, T0, failed)).not.toHaveProperty("intervals");
  });
});

describe("the frames of a conversation", () => {
  const talk = ({ onFrame }: SessionContext<DeviceProfile>): void => {
    onFrame?.("sent", Uint8Array.of(0xc0, 1));
    onFrame?.("received", Uint8Array.of(0xc4, 2));
  };

  it("are kept when the job asks for it, and only then", async () => {
    const done = await end(talk);
    expect(taskReport(ITEM, 1, T0, done, true).frames).toEqual([
      { d: "sent", f: "c001" },
      { d: "received", f: "c402" },
    ]);
    expect(taskReport(ITEM, 1, T0, done)).not.toHaveProperty("frames");
    expect(taskReport(ITEM, 1, T0, done).frameDigest).toHaveLength(64);
  });

  it("are the first ones where there are too many, and it is said how many more there were", async () => {
    const half = new Uint8Array(FRAMES_KEPT_OCTETS / 2);
    const done = await end(({ onFrame }) => {
      for (const octets of [half, half, Uint8Array.of(1)]) onFrame?.("received", octets);
    });
    const { frames, framesLeftOut } = taskReport(ITEM, 1, T0, done, true);
    expect([frames?.length, framesLeftOut]).toEqual([2, 1]);
    const many = await end(({ onFrame }) => {
      for (let frame = 0; frame < 600; frame++) onFrame?.("sent", Uint8Array.of(1));
    });
    expect(taskReport(ITEM, 1, T0, many, true)).toMatchObject({ framesLeftOut: 88 });
  });
});
