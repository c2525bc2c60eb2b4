import type { MeterId, Place } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import { evaluate } from "../queries/language/evaluate.ts";
import { conditionOf, type MeterFilter } from "../queries/language/meter-filter.ts";
import type { Calendar } from "./calendar.ts";
import type { GroupRoute } from "./group-route.ts";
import type { Caller } from "./job.ts";
import type { Lane } from "./lane.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { memoryScheduleRuns, memorySchedules } from "./memory-schedules.ts";
import type { WorkItem } from "./messages.ts";
import type { SchedulePorts } from "./run-schedules.ts";
import type { SegmentMembers } from "./targets.ts";

export const T0 = Date.UTC(2026, 10, 2, 12);
export const CALLER: Caller = { id: "anna", roles: ["operator"] };

/** A clock that a test moves by hand; sleeping moves it. */
export function handClock(start = T0): Clock & { now(): number; pass(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    pass: (ms) => {
      now += ms;
    },
    sleep: async (ms) => {
      now += ms;
    },
  };
}

/** The engine over ports in memory: what was sent and started is kept, failures can be ordered. */
export function engine(meters: readonly (readonly [string, Place])[] = []) {
  const sent: (WorkItem & { readonly lane: Lane })[] = [];
  const started: string[] = [];
  const places = new Map(meters as readonly (readonly [MeterId, Place])[]);
  const queries = new Map<string, MeterFilter>();
  const groupRoutes = new Map<string, GroupRoute>();
  const calendars: Calendar[] = [];
  const failing = { send: 0, createSlice: 0 };
  const stored = memoryLedger();
  const clock = handClock();
  const runs = memoryScheduleRuns();
  /** Who has lost which roles, by name; others hold all of them. */
  const people = new Map<string, readonly string[] | "no answer">();
  const ports: SchedulePorts = {
    people: {
      rolesOf: async (name) => {
        const roles = people.get(name) ?? ["operator", "supervisor"];
        if (roles === "no answer") throw new Error("the directory does not answer");
        return roles;
      },
    },
    ledger: {
      ...stored,
      createSlice: async (slice) => {
        if (failing.createSlice > 0 && --failing.createSlice === 0) throw new Error("createSlice fails");
        return stored.createSlice(slice);
      },
    },
    schedules: memorySchedules(),
    runs,
    calendars: { list: async () => calendars },
    lanes: {
      send: async (lane, items) => {
        if (failing.send > 0 && --failing.send === 0) throw new Error("send fails");
        sent.push(...items.map((item) => ({ ...item, lane })));
      },
    },
    queries: { filterOf: async (name) => queries.get(name) },
    groupRoutes: { read: async (name) => groupRoutes.get(name) },
    planner: { start: async (jobId) => void started.push(jobId) },
    targets: {
      places: async (meterIds) =>
        new Map(
          meterIds.flatMap((meterId) => {
            const place = places.get(meterId);
            return place === undefined ? [] : [[meterId, place]];
          }),
        ),
      async *members(target): AsyncGenerator<SegmentMembers> {
        if (target.kind !== "all" && target.kind !== "filter") return;
        // Of a filter these meters know their ids only.
        const matching = [...places]
          .filter(
            ([meterId]) => target.kind === "all" || evaluate(conditionOf(target.filter), { meterId }, clock.now()),
          )
          .map(([, place]) => place);
        for (const [segment, placed] of Map.groupBy(matching, (place) => place.segment)) {
          const bitmap = new Uint8Array(128);
          for (const { slot } of placed) bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7));
          yield { segment, bitmap };
        }
      },
    },
    clock,
    random: seeded(7),
    crypto: nodeCrypto,
  };
  return { ports, clock, sent, started, failing, places, queries, groupRoutes, calendars, runs, people };
}

/** Meters named M-0, M-1, … so many in each of the segments. */
export const meterRows = (segments: readonly number[], each: number): (readonly [string, Place])[] =>
  segments.flatMap((segment, index) =>
    Array.from({ length: each }, (_, slot) => [`M-${index * each + slot}`, { segment, slot }] as const),
  );
