import type { Ledger } from "../jobs/ledger.ts";
import type { WorkItem } from "../jobs/messages.ts";
import type { Slice } from "../jobs/slice.ts";
import { advance, type Ignored, LEASE_MS, type SliceInput } from "../jobs/slice-machine.ts";
import type { Clock } from "../ports/clock.ts";

/** Lease and invisibility are renewed so often, ms. */
export const RENEW_MS = 20_000;
/** No dial any more when the lease has less than this left, ms: renewal fails, or our time stood still. */
const LEASE_MARGIN_MS = 5_000;
/** Conflicts come from ingest, which writes outcomes of this slice a few times a second at most. */
const WRITES_MAX = 20;

/** Why a message asks for nothing (any more); it is deleted. */
export type NoWork = Ignored | "no-slice";

type LeaseLedger = Pick<Ledger, "slice" | "writeSlice">;
type Change =
  | { readonly kind: "written"; readonly slice: Slice }
  | { readonly kind: "no"; readonly because: NoWork }
  /** Others never stopped writing in between. */
  | { readonly kind: "busy" };

/** A slice that this bridge works on. */
export interface SliceLease {
  /** The slice as it was when the lease was taken; its generation is that of the work, not of the message. */
  readonly slice: Slice;
  /** Whether it is still safely held. */
  isHeld(): boolean;
  /** False: somebody else has it, or it has moved on. Throws what the ledger throws. */
  renew(): Promise<boolean>;
  /** Ends the work unfinished: `planned` again, for the sweep to send. False: it was not ours any more. */
  giveBack(): Promise<boolean>;
}

/** Writes the slice machine's answer to an input, looking again whenever somebody else writes in between. */
async function change(ledger: LeaseLedger, clock: Clock, item: WorkItem, input: () => SliceInput): Promise<Change> {
  for (let write = 1; write <= WRITES_MAX; write++) {
    const slice = await ledger.slice({ jobId: item.job, segment: item.segment, part: item.part });
    if (slice === undefined) return { kind: "no", because: "no-slice" };
    const step = advance(slice, input());
    if (step.kind === "ignored") return { kind: "no", because: step.because };
    if ((await ledger.writeSlice(slice, step.slice)) === "written") return { kind: "written", slice: step.slice };
    await clock.sleep(5 * write);
  }
  return { kind: "busy" };
}

/** Takes the lease of the slice that a message names, under its version; or says why there is nothing to do. */
export async function takeLease(
  ledger: LeaseLedger,
  clock: Clock,
  item: WorkItem,
  owner: string,
): Promise<SliceLease | NoWork> {
  const taken = await change(ledger, clock, item, () => ({
    input: "taken",
    generation: item.generation,
    owner,
    now: clock.now(),
  }));
  if (taken.kind !== "written") return taken.kind === "no" ? taken.because : "leased";
  let until = taken.slice.lease?.until ?? 0;
  let lost = false;
  return {
    slice: taken.slice,
    isHeld: () => !lost && clock.now() < until - LEASE_MARGIN_MS,
    async renew() {
      const now = clock.now();
      const renewed = await change(ledger, clock, item, () => ({ input: "renewed", owner, now }));
      if (renewed.kind === "written") until = now + LEASE_MS;
      lost ||= renewed.kind === "no";
      return !lost;
    },
    async giveBack() {
      lost = true;
      const given = await change(ledger, clock, item, () => ({ input: "drained", owner, now: clock.now() }));
      return given.kind === "written";
    },
  };
}
