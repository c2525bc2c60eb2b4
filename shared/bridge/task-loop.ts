import type { AccessItem, AccessStore } from "../jobs/access.ts";
import type { Lane } from "../jobs/lane.ts";
import type { TaskReport } from "../jobs/messages.ts";
import type { CounterSource } from "../metering/driver.ts";
import type { Operation, TimeRange } from "../metering/operation.ts";
import { wayIn } from "../metering/route.ts";
import type { Clock } from "../ports/clock.ts";
import { fraction } from "../ports/random.ts";
import { accessWindow } from "./access-window.ts";
import { countedTry, type KeptCounters } from "./counted-try.ts";
import type { AccessLook, CounterDesk } from "./counter-desk.ts";
import { failureOf, refusal } from "./failure-of.ts";
import { type PerformPorts, perform, type TimeLimits } from "./perform.ts";
import type { Permit, SessionPool } from "./session-pool.ts";
import type { SliceFacts } from "./slice-facts.ts";
import type { SliceWays } from "./slice-ways.ts";
import { installationField, placeReport, type TaskEnd, taskReport } from "./task-report.ts";

/** A meter is tried so often inside a pass, for reasons that say `later`. A ping asks once: silence is its answer. */
export const TRIES = 3;
/** Pause before the second and the third try, ms; jittered by a quarter either way. */
const PAUSES_MS = [1_000, 4_000] as const;

/** Why no meter of the slice is dialled any more. */
export type Stop = "drain" | "lost" | "job-ended" | "deadline" | "overtime";

export interface TaskLoopPorts extends PerformPorts {
  readonly clock: Clock;
  readonly access: Pick<AccessStore, "readMany">;
  readonly pool: SessionPool;
}

export interface SliceTasks {
  readonly lane: Lane;
  readonly segment: number;
  readonly slots: readonly number[];
  readonly operation: Operation;
  /** Of a read of intervals, the part of its range that a slot is asked for; a slot that is not named is asked for all. */
  readonly ranges?: ReadonlyMap<number, TimeRange>;
  /** Reports bring along what was said on the wire. */
  readonly keepFrames: boolean;
  /** Whether a meter still is what the job is about; absent: it is. Asked before its first try. */
  readonly suits?: (item: AccessItem) => Promise<boolean>;
  readonly limits: TimeLimits;
  readonly desk: CounterDesk;
  /** How an order is tried at a meter, from its hold on; absent: the operation reads. */
  readonly tryOrder?: (item: AccessItem, attempt: number) => Promise<TaskEnd>;
  /** What is asked of an endpoint that sleeps. */
  readonly toMailbox: (item: AccessItem) => Promise<TaskEnd>;
  /** Asked before each dial; undefined: go on. */
  readonly stop: () => Promise<Stop | undefined>;
  /** Aborts when `stop` has something new to say. */
  readonly stopping: AbortSignal;
  /** Closes the links of sessions that still run. */
  readonly hangUp: AbortSignal;
  readonly facts: SliceFacts;
  /** Whose turn a session is. */
  readonly share: string;
  readonly ways: SliceWays;
  /** `last`: the slice has nothing else on the way. */
  readonly report: (report: TaskReport, last: boolean) => void;
}

interface Task extends KeptCounters {
  readonly slot: number;
  tries: number;
  notBefore: number;
  /** The way in of the next try, where a look has told it. */
  wayIn?: string;
  /** Report of the last try, kept back while another one is due. */
  pending?: TaskReport;
}
type Chosen = { readonly task: Task; readonly look: AccessLook | "absent"; readonly permit?: Permit };

/** Works through the meters of one slice; answers why it stopped early, if it did. Throws what its ports throw. */
export async function runTasks(ports: TaskLoopPorts, slice: SliceTasks): Promise<Stop | undefined> {
  const { clock, pool } = ports;
  const { lane, segment, desk, facts, ways } = slice;
  const ping = slice.operation.kind === "ping";
  const tries = ping ? 1 : TRIES;
  const window = accessWindow(ports.access, desk, clock, segment);
  const waiting: Task[] = slice.slots.map((slot) => ({ slot, tries: 0, notBefore: 0 }));
  let running = 0;
  let fault: { readonly error: unknown } | undefined;
  let wake = new AbortController();
  const wakeUp = () => wake.abort();
  /** Until a session ends, the slice has to stop, or the time is over. */
  const idle = async (ms: number): Promise<void> => {
    wake = new AbortController();
    const until = AbortSignal.any([wake.signal, slice.stopping]);
    if (slice.stopping.aborted && running === 0) return;
    await clock.sleep(ms, slice.stopping.aborted ? wake.signal : until).catch(() => undefined);
  };

  /** The first task whose way in has room, with a fresh look at its access item. */
  const pick = async (ready: readonly Task[]): Promise<Chosen | undefined> => {
    for (const [index, task] of ready.entries()) {
      if (task.wayIn !== undefined && !ways.hasRoom(task.wayIn)) continue;
      const look =
        window.fresh(task.slot) ?? (await window.read([task.slot, ...ready.slice(index + 1).map(({ slot }) => slot)]));
      if (look === "absent") return { task, look };
      const route = look.item.routes[task.tries % look.item.routes.length];
      task.wayIn = route === undefined ? "none" : wayIn(route, look.item.collector, look.item.cell);
      const permit = ways.take(task.wayIn, waiting.length + running);
      if (permit !== undefined) return { task, look, permit };
    }
    return undefined;
  };

  /** One try: of an order as its class asks for, else one session that performs the operation. */
  const tryOnce = async (task: Task, look: AccessLook): Promise<{ look: AccessLook; end: TaskEnd }> => {
    if (task.tries === 1 && (await slice.suits?.(look.item)) === false)
      return { look, end: { kind: "failed", failure: refusal("no-match", "target.no-match") } };
    const { routes } = look.item;
    if (routes[(task.tries - 1) % routes.length]?.kind === "sleepy")
      return { look, end: await slice.toMailbox(look.item) };
    if (slice.tryOrder !== undefined) return { look, end: await slice.tryOrder(look.item, task.tries) };
    const { operation } = slice;
    const range = slice.ranges?.get(task.slot);
    const asked = range !== undefined && operation.kind === "readIntervals" ? { ...operation, range } : operation;
    const session = (item: AccessItem, source: CounterSource) =>
      perform(ports, item, source, asked, task.tries, slice.limits, slice.hangUp);
    const mayGoOn = async () => (await slice.stop()) === undefined;
    return countedTry({ clock, desk, facts, session, mayGoOn }, look, task);
  };

  const settle = (task: Task, look: AccessLook, end: TaskEnd): void => {
    if (end.kind === "left") return;
    if (end.kind === "failed" && slice.hangUp.aborted) return; // our own doing says nothing about the meter
    const told = taskReport(look.item, task.tries, ports.sessionClock.now(), end, slice.keepFrames);
    // What an earlier try brought before it broke off is not lost when a later one brings nothing.
    const brought = told.outcome.kind === "failed" ? (told.intervals ?? task.pending?.intervals) : told.intervals;
    const asked = slice.ranges?.get(task.slot);
    const report = {
      ...told,
      ...(asked === undefined ? {} : { asked }),
      ...(brought === undefined ? {} : { intervals: brought, ...installationField(look.item, brought) }),
    };
    if (end.kind === "failed" && end.waitUntil !== undefined) {
      task.tries--;
      task.notBefore = end.waitUntil;
      if (task.pending === undefined) slice.report(report, false); // somebody may want to know what it waits for
      task.pending = report;
      waiting.push(task);
      return;
    }
    if (end.kind === "failed" && end.failure.retry === "later" && end.rest !== true && task.tries < tries) {
      const pause = PAUSES_MS[task.tries - 1] ?? 0;
      task.notBefore = clock.now() + Math.round(pause * (0.75 + fraction(ports.random) / 2));
      task.pending = report;
      waiting.push(task);
      return;
    }
    slice.report(report, waiting.length === 0 && running === 1);
    facts.ended(report, end);
  };

  const attempt = async ({ task, look, permit }: Chosen, session: Permit): Promise<void> => {
    try {
      if (look === "absent") {
        const report = placeReport(segment, task.slot, ports.sessionClock.now(), refusal("retired", "access.none"));
        slice.report(report, waiting.length === 0 && running === 1);
        facts.ended(report);
        return;
      }
      task.tries++;
      facts.tries++;
      const failed = (error: unknown) => ({
        look,
        end: { kind: "failed", failure: failureOf(error, false), cause: error } satisfies TaskEnd,
      });
      const { look: used, end } = await tryOnce(task, look).catch(failed);
      try {
        settle(task, used, end);
      } catch (error) {
        // What a driver made of one meter's answer fits no report: that meter's failure, not the slice's.
        task.tries = TRIES;
        settle(task, look, failed(error).end);
      }
    } catch (error) {
      fault ??= { error };
    } finally {
      permit?.release();
      session.release();
      running--;
      wakeUp();
    }
  };

  let stopped: Stop | undefined;
  while (running > 0 || (waiting.length > 0 && stopped === undefined && fault === undefined)) {
    const now = clock.now();
    const ready = stopped === undefined && fault === undefined ? waiting.filter((task) => task.notBefore <= now) : [];
    if (ready.length === 0) {
      const next = Math.min(...waiting.map((task) => task.notBefore));
      const pause = stopped !== undefined || fault !== undefined || next === Infinity ? 60_000 : next - now;
      await idle(Math.min(pause, 60_000));
      if (slice.stopping.aborted || pause > 60_000) stopped ??= await slice.stop();
      continue;
    }
    let session: Permit | undefined;
    try {
      session = await pool.session(lane, slice.stopping, { share: slice.share, ping }).catch(() => undefined);
      stopped = await slice.stop();
      const picked = session === undefined || stopped !== undefined ? undefined : await pick(ready);
      if (session !== undefined && picked !== undefined) {
        waiting.splice(waiting.indexOf(picked.task), 1);
        window.forget(picked.task.slot);
        running++;
        void attempt(picked, session);
        continue;
      }
      session?.release();
      if (stopped === undefined && session !== undefined)
        await ways.freed(AbortSignal.any([slice.stopping, timeLimit(clock, 1_000)]));
    } catch (error) {
      session?.release();
      fault = { error };
    }
  }
  if (fault !== undefined) throw fault.error;
  // The pass ends: what its last try said is what is known of a meter that was waiting for another one.
  if (stopped === "deadline" || stopped === "overtime")
    for (const { pending } of waiting)
      if (pending !== undefined) {
        facts.ended(pending);
        slice.report(pending, true);
      }
  return stopped;
}

/** Aborts after `ms`. */
function timeLimit(clock: Clock, ms: number): AbortSignal {
  const limit = new AbortController();
  void clock.sleep(ms).then(() => limit.abort());
  return limit.signal;
}
