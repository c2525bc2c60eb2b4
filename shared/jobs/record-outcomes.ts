import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import { fraction, type Random } from "../ports/random.ts";
import type { RetryPolicy } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import type { ResultBatch, TaskReport } from "./messages.ts";
import { SPLIT_PART } from "./progress.ts";
import type { Slice, SliceKey } from "./slice.ts";
import { advance } from "./slice-machine.ts";
import { slotState } from "./slots.ts";

export interface RecordPorts {
  readonly ledger: Pick<Ledger, "slice" | "writeSlice">;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a batch did to the ledger; counts of reports. */
export interface RecordFacts {
  ended: number;
  noted: number;
  /** Ended `unverified`: an alarm. */
  unverified: number;
  /** Slots of those that no report ended, of the segment. */
  unproved: number[];
  duplicate: number;
  /** After the first outcome, or about a task that is in no slice: kept as readings only. */
  late: number;
  /** Slices that are closed now. */
  closed: number;
}

type SlotReport = Pick<TaskReport, "slot" | "outcome">;
const TRIES = 40;
const PAUSE_MS = 10;

/**
 * Applies outcomes, then the end of the pass, in one write of the slice under its version; what belongs to slots that
 * moved when the slice was split goes to their slices of one. May be repeated. Throws `HeadraceError`
 * `ledger.contended` or `ledger.split-under-way` (both worth another try).
 */
export async function recordOutcomes(
  ports: RecordPorts,
  key: SliceKey,
  batch: Pick<ResultBatch, "generation" | "passOver">,
  reports: readonly SlotReport[],
  retry: RetryPolicy,
): Promise<RecordFacts> {
  const facts: RecordFacts = { ended: 0, noted: 0, unverified: 0, unproved: [], duplicate: 0, late: 0, closed: 0 };
  for (let tries = 1; ; tries++) {
    const slice = await ports.ledger.slice(key);
    if (slice === undefined) {
      facts.late += reports.length;
      return facts;
    }
    const now = ports.clock.now();
    const outcomes = advance(slice, { input: "outcomes", generation: batch.generation, reports, retry });
    const told: Slice = outcomes.kind === "next" ? outcomes.slice : slice;
    const over = batch.passOver
      ? advance(told, { input: "pass-over", generation: batch.generation, now, retry, random: ports.random })
      : undefined;
    const next = over?.kind === "next" ? over.slice : told;
    if (next !== slice && (await ports.ledger.writeSlice(slice, next)) === "conflict") {
      if (tries === TRIES)
        throw new HeadraceError("ledger.contended", `expected to write the slice within ${TRIES} tries`, {
          retry: "later",
          detail: { ...key },
        });
      await ports.clock.sleep(Math.round(PAUSE_MS * Math.min(tries, 10) * fraction(ports.random)));
      continue;
    }
    facts.ended += outcomes.counts?.ended ?? 0;
    facts.noted += outcomes.counts?.noted ?? 0;
    facts.unverified += outcomes.counts?.unverified ?? 0;
    facts.unproved.push(...(outcomes.counts?.unproved ?? []));
    facts.duplicate += outcomes.counts?.duplicate ?? 0;
    facts.late += outcomes.counts?.late ?? 0;
    if (next.state === "closed") facts.closed++;
    for (const report of outcomes.counts?.strayed ?? []) await recordStrayed(ports, slice, report, retry, facts);
    return facts;
  }
}

/** A report about a slot that is not in the slice: its slice of one, if it was split off. */
async function recordStrayed(
  ports: RecordPorts,
  left: Slice,
  report: SlotReport,
  retry: RetryPolicy,
  facts: RecordFacts,
): Promise<void> {
  const one = { jobId: left.jobId, segment: left.segment, part: SPLIT_PART + report.slot };
  if (left.part >= SPLIT_PART || (await ports.ledger.slice(one)) === undefined) {
    if (left.moved !== undefined && slotState(left.moved, report.slot) === "open")
      throw new HeadraceError("ledger.split-under-way", "expected the slice of one, which is being made", {
        retry: "later",
        detail: one,
      });
    facts.late++;
    return;
  }
  // Generation 0 is no slice's own: what was read before the split ends its slot, but no pass of the new slice.
  const stray = await recordOutcomes(ports, one, { generation: 0, passOver: false }, [report], retry);
  facts.ended += stray.ended;
  facts.noted += stray.noted;
  facts.unverified += stray.unverified;
  facts.unproved.push(...stray.unproved);
  facts.duplicate += stray.duplicate;
  facts.late += stray.late;
  facts.closed += stray.closed;
}
