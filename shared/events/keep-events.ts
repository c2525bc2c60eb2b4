import type { Job } from "../jobs/job.ts";
import type { SwitchEvidence, TaskReport } from "../jobs/messages.ts";
import { isCommandTold, isOrder } from "../jobs/orders.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import { isCredit } from "../metering/operation.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import { dayOf } from "../readings/day-block.ts";
import type { Keeper } from "../readings/ingest-batch.ts";
import { DRIFT_MAX_MS } from "../readings/quality.ts";
import { type Alarm, type Alarms, isAlarm } from "./alarm.ts";
import { type EventTeller, NOBODY } from "./tell-events.ts";
import type { SwitchStory, Timeline, TimelineItem } from "./timeline.ts";
import type { ToldEvent } from "./told-event.ts";

export interface EventPorts {
  readonly timeline: Pick<Timeline, "add">;
  readonly alarms: Pick<Alarms, "raise">;
  readonly crypto: Crypto;
  /** Told of what is an alarm without being an entry of a log; entries are told by the timeline. @default nobody */
  readonly teller?: Pick<EventTeller, "tell">;
}

const shortHash = (crypto: Crypto, ...parts: readonly (string | number | undefined)[]): string =>
  toHex(
    crypto.hash("sha256", new TextEncoder().encode(JSON.stringify(parts.map((part) => part ?? null)))).subarray(0, 8),
  );

function eventItems(
  crypto: Crypto,
  { meterId, at: receivedAt, events = [] }: TaskReport,
  batch: string,
): TimelineItem[] {
  return events.map(({ at, e: event, log, code, seq, arg }) => ({
    meterId,
    // The same entry of the log, read again by whatever job, is the same item.
    id: shortHash(crypto, log, code, seq, arg),
    entry: {
      kind: "event",
      at,
      event,
      log,
      code,
      receivedAt,
      batch,
      ...(seq === undefined ? {} : { sequence: seq }),
      ...(arg === undefined ? {} : { argument: arg }),
    },
  }));
}

/** A clock that is off by more than a reading bears is told once a UTC day, as the log `headend` has it. */
function driftItem(crypto: Crypto, report: TaskReport, batch: string): TimelineItem | undefined {
  const { meterId, at, clockOffsetMs, clockUncertaintyMs = 0, clockSet } = report;
  const offsetMs = clockSet?.beforeMs ?? clockOffsetMs;
  if (offsetMs === undefined || Math.abs(offsetMs) <= DRIFT_MAX_MS + clockUncertaintyMs) return undefined;
  const day = dayOf(at);
  return {
    meterId,
    id: shortHash(crypto, "clock", day),
    entry: {
      kind: "event",
      at: day,
      event: "clock.drift-exceeded",
      log: "headend",
      code: `${Math.round(offsetMs)} ms`,
      receivedAt: at,
      batch,
    },
  };
}

function storyOf({ before, after, proof }: SwitchEvidence): SwitchStory {
  const seen = ({ position, contactClosed, voltages }: NonNullable<SwitchEvidence["after"]>) => ({
    position,
    ...(contactClosed === undefined ? {} : { contactClosed }),
    voltages: voltages.map(({ m, v, s }) => ({ measurement: m, value: String(v), scaler: s })),
  });
  return {
    ...(before === undefined ? {} : { before: seen(before) }),
    ...(after === undefined ? {} : { after: seen(after) }),
    ...(proof === undefined ? {} : { proof }),
  };
}

/**
 * That nobody can tell where a switch stands is an alarm from the first look on, while it is looked for again: treat the
 * meter as live and the customer as without supply. The same of credit: whoever gives it again may give it twice.
 */
function unverifiedOrder({ operation }: Job, { outcome }: TaskReport): EventName | undefined {
  if (isCredit(operation))
    return outcome.kind === "failed" && outcome.reason === "unverified" ? "credit.unverified" : undefined;
  if (operation.kind !== "operateSwitch" || outcome.kind !== "failed" || outcome.reason !== "unverified")
    return undefined;
  if (outcome.code === "switch.load-side-live") return "switch.load-side-live";
  return operation.to === "open" ? "switch.open-failed" : "switch.close-failed";
}

/** Of an order each end is an entry; a try that is followed by another is none. */
function commandItem(crypto: Crypto, job: Job, report: TaskReport, batch: string): TimelineItem | undefined {
  const { meterId, at, outcome, switchEvidence, meterCredit } = report;
  if (outcome.kind === "failed" && outcome.retry === "later" && outcome.reason !== "unverified") return undefined;
  const why = outcome.kind === "done" ? {} : { reason: outcome.reason, code: outcome.code };
  return {
    meterId,
    id: shortHash(crypto, job.jobId, batch),
    entry: {
      kind: "command",
      at,
      operation: job.operation.kind,
      jobId: job.jobId,
      outcome: outcome.kind,
      ...why,
      ...(switchEvidence === undefined ? {} : { switch: storyOf(switchEvidence) }),
      ...(meterCredit === undefined ? {} : { meterCredit }),
      batch,
    },
  };
}

function settingItem(
  crypto: Crypto,
  job: Job | undefined,
  { meterId, at, powerLimit, meterCredit }: TaskReport,
  batch: string,
): TimelineItem | undefined {
  // What an order of credit has read stands in its own entry.
  const credit = job === undefined || isOrder(job) ? undefined : meterCredit;
  if (job === undefined || (powerLimit === undefined && credit === undefined)) return undefined;
  const { jobId } = job;
  const shown = { ...(powerLimit && { powerLimit }), ...(credit && { meterCredit: credit }) };
  return { meterId, id: shortHash(crypto, jobId, batch), entry: { kind: "setting", at, jobId, batch, ...shown } };
}

/** Keeps what reports say of events and settings, and how orders ended, in the meters' timelines; raises alarms. */
export const eventKeeper = ({ timeline, alarms, crypto, teller = NOBODY }: EventPorts): Keeper => ({
  async keep({ reference, job, reports }) {
    const items: TimelineItem[] = [];
    const raised: Alarm[] = [];
    const found = new Map<Alarm, ToldEvent>();
    for (const report of reports) {
      items.push(...eventItems(crypto, report, reference));
      const drift = driftItem(crypto, report, reference);
      if (drift !== undefined) items.push(drift);
      const command = job !== undefined && isCommandTold(job) ? commandItem(crypto, job, report, reference) : undefined;
      if (command !== undefined) items.push(command);
      const setting = settingItem(crypto, job, report, reference);
      if (setting !== undefined) items.push(setting);
      const unverified = command && job && unverifiedOrder(job, report);
      if (unverified !== undefined) {
        const { meterId, at } = report;
        const alarm = { meterId, event: unverified, at, receivedAt: at };
        raised.push(alarm);
        found.set(alarm, {
          ...alarm,
          kind: "device",
          id: `${meterId}/${at}/${unverified}`,
          log: "headend",
          code: job?.jobId ?? "",
        });
      }
      for (const { at, e: event } of report.events ?? [])
        if (isAlarm(event, at, report.at)) raised.push({ meterId: report.meterId, event, at, receivedAt: report.at });
    }
    if (items.length > 0) await timeline.add(items);
    if (raised.length === 0) return;
    const kept = await alarms.raise(raised);
    await teller.tell(kept.flatMap((alarm) => found.get(alarm) ?? []));
  },
});
