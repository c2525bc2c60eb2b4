import { isPing } from "../jobs/fair-share.ts";
import { LANES, type Lane } from "../jobs/lane.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { decodeMessage, WorkItem } from "../jobs/messages.ts";
import { contentOf } from "../jobs/parked-message.ts";
import { HeadraceError } from "../ports/errors.ts";
import { fraction } from "../ports/random.ts";
import { openWhile, watchIngest } from "./back-pressure.ts";
import { jobWatch } from "./job-watch.ts";
import { memoryWayPermits } from "./memory-way-permits.ts";
import { type ResultPorts, resultBatcher } from "./result-batcher.ts";
import { openSlices, pingQuota, quotasOf, sessionPool } from "./session-pool.ts";
import { runSlice, type SliceMessage, type SliceOutcome, type SlicePorts } from "./slice-runner.ts";
import { wayDesk } from "./slice-ways.ts";
import type { WayInLimit, WayPermits } from "./way-permits.ts";
import { yielding } from "./yielding.ts";

/** One message of a lane, invisible to others for as long as it is renewed. */
export interface LaneMessage extends SliceMessage {
  readonly body: string;
  /** When it was sent, machine clock milliseconds. */
  readonly sentAt: number;
  /** How often it was received, this time included. */
  readonly receives?: number;
}

/** The receiving side of one lane. */
export interface LaneReceiver {
  /** Waits for up to `max` (1 to 10) messages, some seconds at most; nothing when the signal aborts. */
  receive(max: number, signal: AbortSignal): Promise<readonly LaneMessage[]>;
}

export interface BridgePorts extends Omit<SlicePorts, "pool" | "lanes" | "jobs" | "results" | "ledger" | "ways"> {
  readonly ledger: Pick<Ledger, "slice" | "writeSlice" | "job" | "raiseWatermark">;
  readonly receivers: Readonly<Record<Lane, LaneReceiver>>;
  readonly results: Pick<ResultPorts, "queue" | "batches">;
  /** Puts a message that cannot be handled aside, with the reason; absent: the queue does, after ten receives. */
  readonly park?: (lane: Lane, body: string, reason: string) => Promise<void>;
  /** How many messages wait for ingest; absent: it is taken to keep up. */
  readonly resultsWaiting?: () => Promise<number>;
  /** Unique to this run of the bridge. */
  readonly bridgeId: string;
  /** Whether work may be taken now; a bridge whose clock is wrong takes none. */
  readonly mayReceive: () => boolean;
  /** Shared by all bridges; absent: this bridge is the only one. */
  readonly wayPermits?: WayPermits;
  /** Of ways in for which the utility has set none. */
  readonly wayInLimit?: WayInLimit;
}

/** What there is to tell; domain code logs nothing itself. */
export interface BridgeEvents {
  slice(lane: Lane, item: WorkItem, outcome: SliceOutcome): void;
  /** A message that no bridge will ever understand; it goes on to the dead-letter queue. */
  poison(lane: Lane, error: unknown): void;
  /** Receiving or raising the watermark failed; it is tried again. */
  trouble(lane: Lane, error: unknown): void;
}

export interface Bridge {
  readonly openSlices: number;
  readonly busySessions: number;
  /**
   * Receives nothing more, lets running sessions end for `graceMs`, then cuts them; flushes results and gives back
   * what is unfinished. Resolves when all is at rest.
   */
  drain(graceMs: number): Promise<void>;
}

/** Most messages of one receive. */
const RECEIVE_MAX = 10;
/** A poison message that could not be parked comes back at once. */
const POISON_MS = 1_000;
/** The queue parks after ten receives, without a reason; the one before says it. */
const RECEIVES_MAX = 9;
/** The watermark may lag by this, ms: the sweep waits ten minutes. */
const WATERMARK_STEP_MS = 5_000;
/** The same of an empty lane. */
const WATERMARK_EMPTY_STEP_MS = 60_000;
const PAUSE_MS = 1_000;
/**
 * Once pings have their share of the interactive lane, the bridge takes one message so often, ms, for what is no ping:
 * the queue gives those first, since few of them are in flight. A ping is put back for so long, doubled each time, and
 * taken all the same before the queue would park it.
 */
const LOOK_ON_MS = 100;
const PUT_BACK_MS = 5_000;
const PUT_BACK_MAX = 6;

/** Starts a receiver a lane and works until it is drained. */
export function startBridge(ports: BridgePorts, events: BridgeEvents, sessions: number): Bridge {
  const { clock, ledger, bridgeId } = ports;
  const quotas = quotasOf(sessions);
  const lanes = yielding(clock);
  const pool = sessionPool(quotas, lanes);
  const slicePorts: SlicePorts = {
    ...ports,
    pool,
    lanes,
    ways: wayDesk(ports.wayPermits ?? memoryWayPermits(), clock, ports.wayInLimit),
    jobs: jobWatch(ledger, clock),
    results: resultBatcher({ ...ports.results, clock, bridgeId }),
  };
  const stop = new AbortController();
  const hangUp = new AbortController();
  const draining = { stop: stop.signal, hangUp: hangUp.signal };
  const open = new Map<Lane, Set<Promise<void>>>(LANES.map((lane) => [lane, new Set()]));
  const lag =
    ports.resultsWaiting === undefined ? { waiting: 0 } : watchIngest(ports.resultsWaiting, clock, stop.signal);
  /** Of the interactive lane. */
  const openPings = new Set<Promise<void>>();
  let runs = 0;

  const putAside = async (lane: Lane, message: LaneMessage, reason: string): Promise<void> => {
    try {
      if (ports.park === undefined) return await message.renew(POISON_MS);
      await ports.park(lane, message.body, reason); // first: a crash in between parks it twice, which is harmless
      await message.delete();
    } catch (trouble) {
      events.trouble(lane, trouble);
      await message.renew(POISON_MS).catch(() => undefined);
    }
  };

  /** Undefined: poison, which is put aside. */
  const itemOf = (lane: Lane, message: LaneMessage): WorkItem | undefined => {
    try {
      return decodeMessage(WorkItem, message.body);
    } catch (error) {
      events.poison(lane, error);
      void putAside(lane, message, contentOf(lane, message.body).problem ?? "the body cannot be read");
      return undefined;
    }
  };
  /** For later, and for another bridge: each time twice as long. */
  const putBack = async (lane: Lane, message: LaneMessage): Promise<void> => {
    const ms = PUT_BACK_MS * 2 ** ((message.receives ?? 1) - 1) * (0.75 + fraction(ports.random) / 2);
    await message.renew(ms).catch((trouble) => events.trouble(lane, trouble));
  };

  const begin = (lane: Lane, item: WorkItem, message: LaneMessage): void => {
    const slices = open.get(lane);
    const owner = `${bridgeId}#${++runs}`;
    const run = runSlice(slicePorts, lane, item, message, owner, draining).then((outcome) => {
      slices?.delete(run);
      openPings.delete(run);
      events.slice(lane, item, outcome);
      if (outcome.end.kind === "fault" && (message.receives ?? 0) >= RECEIVES_MAX)
        void putAside(lane, message, reasonOf(outcome.end.error));
    });
    slices?.add(run);
    if (lane === "interactive" && isPing(item)) openPings.add(run);
  };

  const receiveLane = async (lane: Lane): Promise<void> => {
    const receiver = ports.receivers[lane];
    const slices = open.get(lane) ?? new Set();
    const mostOpen = openSlices(lane, quotas);
    const raised = new Map<string | undefined, number>();
    const raise = (sentAt: number, step: number, share?: string): void => {
      if (sentAt <= (raised.get(share) ?? 0) + step) return;
      raised.set(share, sentAt);
      ledger.raiseWatermark(lane, sentAt, share).catch((error: unknown) => events.trouble(lane, error));
    };
    const mayPing = (): boolean => lane !== "interactive" || openPings.size < pingQuota(quotas);
    const pause = (ms = PAUSE_MS) => clock.sleep(ms, stop.signal).catch(() => undefined);
    while (!stop.signal.aborted) {
      const most = openWhile(lane, mostOpen, lag.waiting);
      if (slices.size >= most)
        await Promise.race(most < mostOpen ? [...slices, pause()] : slices); // back-pressure is not receiving
      else if (!ports.mayReceive()) await pause();
      else
        try {
          const asked = clock.now();
          const looksOn = !mayPing();
          if (looksOn) await pause(LOOK_ON_MS);
          const messages = await receiver.receive(looksOn ? 1 : Math.min(RECEIVE_MAX, most - slices.size), stop.signal);
          if (stop.signal.aborted) {
            await Promise.all(messages.map((message) => message.renew(0)));
            return;
          }
          // An empty lane has nothing that was sent before it was asked: who still waits for that has lost his message.
          if (messages.length === 0) raise(asked, WATERMARK_EMPTY_STEP_MS);
          for (const message of messages) {
            const item = itemOf(lane, message);
            if (item === undefined) continue;
            raise(message.sentAt, WATERMARK_STEP_MS, item.share);
            if (isPing(item) && !mayPing() && (message.receives ?? 1) < PUT_BACK_MAX) await putBack(lane, message);
            else begin(lane, item, message);
          }
        } catch (error) {
          if (stop.signal.aborted) return;
          events.trouble(lane, error);
          await pause();
        }
    }
  };

  const receiving = LANES.map(receiveLane);
  return {
    get openSlices() {
      return [...open.values()].reduce((sum, { size }) => sum + size, 0);
    },
    get busySessions() {
      return pool.busy;
    },
    async drain(graceMs) {
      stop.abort();
      const cut = new AbortController();
      const grace = clock.sleep(graceMs, cut.signal).then(
        () => hangUp.abort(),
        () => undefined,
      );
      await Promise.allSettled(receiving);
      await Promise.all([...open.values()].flatMap((slices) => [...slices]));
      cut.abort();
      await grace;
    },
  };
}

/** What an operator is told of a fault of ours: expected errors say what was expected and what came. */
const reasonOf = (error: unknown): string =>
  error instanceof HeadraceError
    ? `${error.code}: ${error.message}`
    : error instanceof Error
      ? `${error.name}: ${error.message.replaceAll(/\s+/g, " ").slice(0, 300)}`
      : "unknown";
