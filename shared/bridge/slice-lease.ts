import type { EffectRecord } from "../jobs/effect-record.ts";
import { isIntended } from "../jobs/intents.ts";
import type { Ledger } from "../jobs/ledger.ts";
import type { WorkItem } from "../jobs/messages.ts";
import type { Slice } from "../jobs/slice.ts";
import { advance, type Ignored, LEASE_MS, type SliceInput } from "../jobs/slice-machine.ts";
import { slotState } from "../jobs/slots.ts";
import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";

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

/** Intents of one slice, as its holder writes them. Each throws what the ledger throws: then nobody knows. */
export interface IntentDesk {
  /** How the slot stands in the ledger: no intent, an intent and what proves it, or not open for this holder any more. */
  look(slot: number): Promise<"none" | "lost" | IntentFound>;
  /** Before the first octet of an effect. False: it must not be sent. */
  write(slot: number, effect: EffectRecord): Promise<boolean>;
  /** After it is certain that the effect did not happen. */
  clear(slot: number): Promise<void>;
}
export interface IntentFound {
  /** Undefined: the record is lost, nothing can be proved. */
  readonly effect: EffectRecord | undefined;
}

/** A slice that this bridge works on. */
export interface SliceLease {
  /** The slice as it was when the lease was taken; its generation is that of the work, not of the message. */
  readonly slice: Slice;
  /** Whether it is still safely held. */
  isHeld(): boolean;
  /** Until when it is held, unless it is renewed; machine clock ms. */
  readonly until: number;
  readonly intents: IntentDesk;
  /** False: somebody else has it, or it has moved on. Throws what the ledger throws, or when others write all the time. */
  renew(): Promise<boolean>;
  /** Ends the work unfinished: `planned` again, for the sweep to send. False: it was not ours any more. */
  giveBack(): Promise<boolean>;
}

/**
 * Writes the slice machine's answer to an input, looking again whenever somebody else writes in between. `known`: how the
 * slice stood when this holder last saw it; if it has changed since, the write finds out.
 */
async function change(
  ledger: LeaseLedger,
  clock: Clock,
  item: WorkItem,
  input: () => SliceInput,
  known?: Slice,
): Promise<Change> {
  if (known !== undefined) {
    const step = advance(known, input());
    if (step.kind !== "ignored" && (await ledger.writeSlice(known, step.slice)) === "written")
      return { kind: "written", slice: { ...step.slice, version: known.version + 1 } };
  }
  for (let write = 1; write <= WRITES_MAX; write++) {
    const slice = await ledger.slice({ jobId: item.job, segment: item.segment, part: item.part });
    if (slice === undefined) return { kind: "no", because: "no-slice" };
    const step = advance(slice, input());
    if (step.kind === "ignored") return { kind: "no", because: step.because };
    if ((await ledger.writeSlice(slice, step.slice)) === "written")
      return { kind: "written", slice: { ...step.slice, version: slice.version + 1 } };
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
  let known: Slice | undefined = taken.slice;
  const changed = async (input: () => SliceInput): Promise<Change> => {
    const was = known;
    known = undefined; // until it is certain what stands
    const done = await change(ledger, clock, item, input, was);
    if (done.kind === "written") known = done.slice;
    return done;
  };
  let lost = false;
  const { generation } = taken.slice;
  const key = { jobId: item.job, segment: item.segment, part: item.part };
  // Many sessions of this bridge want to write: one after the other, so that they don't conflict among themselves.
  let writing: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(write: () => Promise<T>): Promise<T> => {
    const turn = writing.then(write, write);
    writing = turn;
    return turn;
  };
  const intents: IntentDesk = {
    async look(slot) {
      const slice = await ledger.slice(key);
      known = slice;
      if (slice?.generation !== generation || slice.lease?.owner !== owner) return "lost";
      if (slotState(slice.slots, slot) !== "open") return "lost";
      return isIntended(slice, slot) ? { effect: slice.effects?.get(slot) } : "none";
    },
    write: (slot, effect) =>
      inTurn(async () => {
        const input = () => ({ input: "intended", slot, effect, owner, generation, now: clock.now() }) as const;
        const written = await changed(input);
        if (written.kind !== "no" || written.because !== "intended") return written.kind === "written";
        // An answer may have been lost on the way: only this holder writes here, so that the same record is his own.
        const found = await intents.look(slot);
        return typeof found !== "string" && found.effect?.at === effect.at && found.effect.sent === effect.sent;
      }),
    clear: (slot) =>
      inTurn(async () => {
        await changed(() => ({ input: "cleared", slot, owner, generation, now: clock.now() }));
      }),
  };
  return {
    slice: taken.slice,
    intents,
    get until() {
      return until;
    },
    isHeld: () => !lost && clock.now() < until - LEASE_MARGIN_MS,
    async renew() {
      const now = clock.now();
      const renewed = await inTurn(() => changed(() => ({ input: "renewed", owner, now })));
      if (renewed.kind === "written") until = now + LEASE_MS;
      if (renewed.kind === "busy")
        throw new HeadraceError("slice.contended", `expected to renew a lease in ${WRITES_MAX} writes`, {
          retry: "later",
        });
      lost ||= renewed.kind === "no";
      return !lost;
    },
    async giveBack() {
      lost = true;
      const given = await changed(() => ({ input: "drained", owner, now: clock.now() }));
      return given.kind === "written";
    },
  };
}
