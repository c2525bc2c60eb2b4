import type { Job } from "../jobs/job.ts";
import type { TaskReport } from "../jobs/messages.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import { replayClass } from "../metering/operation.ts";
import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import { fraction, type Random } from "../ports/random.ts";
import { dayOf } from "./day-block.ts";
import {
  type FleetColumnStore,
  type FleetColumns,
  type FleetFact,
  factsOf,
  noColumns,
  noteFact,
} from "./fleet-columns.ts";
import type { Keeper } from "./ingest-batch.ts";
import { countIntervals } from "./interval-bits.ts";
import { notHeldIn } from "./not-held.ts";

export interface FleetColumnPorts {
  readonly columns: Pick<FleetColumnStore, "read" | "write">;
  readonly clock: Clock;
  readonly random: Random;
}

type Power = NonNullable<FleetFact["contact"]>["power"];

const TRIES = 40;
const PAUSE_MS = 10;

/** Whether the meter itself answered, under its own key or password: the network card alone is no meter. */
function authenticated(report: TaskReport, asked: boolean): boolean {
  const { outcome, evidence, registers, intervals, events, switch: state } = report;
  if (!asked) return outcome.kind === "done"; // else a replay of what it once said
  if (evidence !== undefined) return evidence.includes("meter-answer");
  if (outcome.kind === "done") return true;
  // A part of what was asked for came before the conversation broke off.
  return [registers, intervals, events].some((brought) => (brought?.length ?? 0) > 0) || state !== undefined;
}

/**
 * Who answers a question has power. What meters say of their supply by themselves counts at the time of it, by their own
 * clock as far as it is known to be off: late and repeated messages then change nothing.
 */
function powerOf({ at, saidAt = at, events = [], clockOffsetMs = 0 }: TaskReport, asked: boolean): Power {
  if (asked) return { on: { at, by: "answer" } };
  const newest = (names: readonly EventName[]): number | undefined => {
    const times = events.filter(({ e }) => names.includes(e)).map((event) => event.at - clockOffsetMs);
    return times.length === 0 ? undefined : Math.max(...times);
  };
  const [offAt, back] = [newest(["power.last-gasp"]), newest(["power.restored-notice", "power.restored"])];
  if (back !== undefined) return { on: { at: back, by: "restoration" }, offAt };
  return offAt === undefined ? { on: { at: Math.min(at, saidAt), by: "answer" } } : { offAt };
}

function missingOf(report: TaskReport, job: Job | undefined): number | undefined {
  if (job?.operation.kind !== "readIntervals" || report.outcome.kind !== "done") return undefined;
  const range = report.asked ?? job.operation.range;
  const today = dayOf(report.at);
  if (range.to <= today) return undefined;
  return (notHeldIn(report, range).get(today) ?? [])
    .filter(({ reason }) => reason === "not-held")
    .reduce((sum, { bits }) => sum + countIntervals(bits), 0);
}

/** What one report says of a meter's fast facts. `sentAt`: when the report left the bridge, on the clock of jobs. */
export function fleetFactOf(report: TaskReport, job: Job | undefined, sentAt: number): FleetFact {
  const { slot, at, outcome } = report;
  const read = job !== undefined && outcome.kind === "done" && replayClass(job.operation) === "read";
  return {
    slot,
    at,
    ...(job === undefined || outcome.kind === "cancelled"
      ? {}
      : { reason: outcome.kind === "done" ? "none" : outcome.reason }),
    ...(authenticated(report, job !== undefined)
      ? {
          contact: {
            power: powerOf(report, job !== undefined),
            latencyMs: read ? sentAt - (job.notBefore ?? job.createdAt) : undefined,
            switch: report.switch,
            missing: missingOf(report, job),
            clockOffsetMs: report.clockSet?.afterMs ?? report.clockOffsetMs,
          },
        }
      : {}),
  };
}

/**
 * What pushes alone bring comes one by one and often, and a write of a whole segment for each would cost more than the
 * push. A contact that is known of the last `KNOWN_MS` is no news. News wait, in the memory of this process, for one that must
 * be written: a contact not known of the last `DUE_MS`, or another state of the supply; that write takes them along. What is lost with
 * a process is said again by the meter's next push.
 */
const KNOWN_MS = 25 * 60_000;
const DUE_MS = 40 * 60_000;
/** Facts that wait in one process: above it those of the segment that has waited longest are forgotten. */
const WAITING_MAX = 50_000;

type News = "none" | "waits" | "due";

function newsOf(columns: FleetColumns, { slot, at, contact }: FleetFact): News {
  if (contact === undefined) return "none";
  const known = factsOf(columns, slot);
  const { on, offAt } = contact.power;
  if (offAt !== undefined || on?.by === "restoration" || known.power !== "on") return "due";
  const age = at - (known.contactAt ?? 0);
  return age >= DUE_MS ? "due" : age >= KNOWN_MS ? "waits" : "none";
}

/** Facts that wait for a write of their segment: of each meter the newest. */
function waitingFacts() {
  const segments = new Map<number, Map<number, FleetFact>>();
  let size = 0;
  const take = (segment: number): readonly FleetFact[] => {
    const facts = [...(segments.get(segment)?.values() ?? [])];
    size -= facts.length;
    segments.delete(segment);
    return facts;
  };
  return {
    take,
    add(segment: number, fact: FleetFact): void {
      const facts = segments.get(segment) ?? new Map<number, FleetFact>();
      segments.set(segment, facts);
      const there = facts.get(fact.slot);
      if (there === undefined) size++;
      if (there === undefined || there.at < fact.at) facts.set(fact.slot, fact);
      const [longest] = segments.keys();
      if (size > WAITING_MAX && longest !== undefined) take(longest);
    },
  };
}

/**
 * Keeps the fast facts of meters: one write a batch and segment, none where the batch brings nothing new. May be repeated:
 * a fact that is older than what is known changes nothing.
 */
export function fleetColumnKeeper({ columns: store, clock, random }: FleetColumnPorts): Keeper {
  const waiting = waitingFacts();
  return {
    async keep({ segment, job, sentAt, reports }) {
      const facts = reports.map((report) => fleetFactOf(report, job, sentAt));
      let along: readonly FleetFact[] = [];
      for (let tries = 1; ; tries++) {
        const { columns, version } = (await store.read(segment)) ?? { columns: noColumns(), version: 0 };
        if (job === undefined && along.length === 0) {
          const news = facts.map((fact) => newsOf(columns, fact));
          if (!news.includes("due")) {
            for (const [index, fact] of facts.entries()) if (news[index] === "waits") waiting.add(segment, fact);
            return;
          }
        }
        along = [...along, ...waiting.take(segment)];
        let changed = false;
        for (const fact of [...along, ...facts]) changed = noteFact(columns, fact) || changed;
        if (!changed || (await store.write(segment, columns, version)) === "written") return;
        if (tries === TRIES)
          throw new HeadraceError("readings.contended", `expected to write fleet columns within ${TRIES} tries`, {
            retry: "later",
            detail: { segment },
          });
        await clock.sleep(Math.round(PAUSE_MS * Math.min(tries, 10) * fraction(random)));
      }
    },
  };
}
