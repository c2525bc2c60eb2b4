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
  const { range } = job.operation;
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
 * What pushes alone bring is no news while the contact is known that late: they come one by one and often, and a write of
 * a whole segment for each would cost more than the push.
 */
const PUSH_STEP_MS = 30 * 60_000;

/** Whether a fact of a push is worth a write. Facts that are not are taken along with the next one that is. */
function isNews(columns: FleetColumns, { slot, at, contact }: FleetFact): boolean {
  const known = factsOf(columns, slot);
  if (contact === undefined) return false;
  const { on, offAt } = contact.power;
  const told = offAt !== undefined || on?.by === "restoration" || known.power !== "on";
  return told || at - (known.contactAt ?? 0) >= PUSH_STEP_MS;
}

/**
 * Keeps the fast facts of meters: one write a batch and segment, none where the batch brings nothing new. May be repeated:
 * a fact that is older than what is known changes nothing.
 */
export const fleetColumnKeeper = ({ columns: store, clock, random }: FleetColumnPorts): Keeper => ({
  async keep({ segment, job, sentAt, reports }) {
    const facts = reports.map((report) => fleetFactOf(report, job, sentAt));
    for (let tries = 1; ; tries++) {
      const { columns, version } = (await store.read(segment)) ?? { columns: noColumns(), version: 0 };
      if (job === undefined && !facts.some((fact) => isNews(columns, fact))) return;
      let changed = false;
      for (const fact of facts) changed = noteFact(columns, fact) || changed;
      if (!changed || (await store.write(segment, columns, version)) === "written") return;
      if (tries === TRIES)
        throw new HeadraceError("readings.contended", `expected to write fleet columns within ${TRIES} tries`, {
          retry: "later",
          detail: { segment },
        });
      await clock.sleep(Math.round(PAUSE_MS * Math.min(tries, 10) * fraction(random)));
    }
  },
});
