import type { AccessItem } from "../jobs/access.ts";
import type { JobId } from "../jobs/job.ts";
import type { MeterSession } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import type { Operation } from "../metering/operation.ts";
import type { OperationResult } from "../metering/result.ts";
import type { Clock } from "../ports/clock.ts";
import type { AuditLog } from "../security/audit.ts";
import { type Authority, ruleAgainst, type SwitchTarget } from "../switching/authority.ts";
import type { GuardDesk } from "../switching/guard-desk.ts";
import { loadAct, switchAct } from "../switching/switch-act.ts";
import { flagAgainst, stateAgainst, tellsOfSwitching } from "../switching/switch-checks.ts";
import { refusal } from "./failure-of.ts";
import type { TaskEnd } from "./task-report.ts";

/** What an order asks besides the meter itself. */
export interface SafetyPorts {
  /** Strongly consistent; undefined: the deployment is not seeded. */
  readonly authority: () => Promise<Authority | undefined>;
  /** This Region; undefined: whichever is active is ours. */
  readonly region: string | undefined;
  readonly guards: GuardDesk;
  readonly audit: AuditLog;
  /** Names a task in guards: 16 hex digits, the same whoever asks. */
  readonly taskName: (jobId: JobId, segment: number, slot: number) => string;
}

/** Whose order it is. */
export interface OrderAsker {
  readonly jobId: JobId;
  readonly by: { readonly id: string; readonly name?: string };
  readonly reason?: string;
  /** Others have approved it: the caps of each caller do not count. */
  readonly approved: boolean;
  /** Everything but the effect. */
  readonly test: boolean;
}

const unsafe = (code: string): TaskEnd => ({ kind: "failed", failure: refusal("unsafe", code) });

/**
 * Room under the guards for an order to a switch, and nothing against it in the access item; undefined: go on. Orders
 * that move no switch need none. Asked before the meter is held; a redelivery finds its own room.
 */
export async function admitted(
  safety: SafetyPorts | undefined,
  {
    operation,
    asker,
    deadline,
  }: { readonly operation: Operation; readonly asker: OrderAsker; readonly deadline: number },
  item: AccessItem,
): Promise<TaskEnd | undefined> {
  const to = switchAct(operation);
  const flag = flagAgainst(item, to ?? loadAct(operation));
  if (flag !== undefined) return unsafe(flag);
  if (to === undefined) return undefined;
  if (safety === undefined) return unsafe("switch.no-safety");
  const ask = { to, feeder: item.feeder, transformer: item.transformer, watts: item.loadWatts };
  const whole = asker.approved ? ask : { ...ask, client: asker.by.id };
  const task = safety.taskName(asker.jobId, item.segment, item.slot);
  const admission = await safety.guards.admit(whole, task);
  if (admission.kind === "admitted") {
    if (asker.test) await safety.guards.giveBack(whole, task);
    return undefined;
  }
  return { kind: "failed", failure: refusal("guarded", "guard.full"), waitUntil: Math.min(admission.until, deadline) };
}

/** Why a switch is not operated, by what the meter shows before; undefined: go on. */
export function againstBefore(
  authority: Authority | undefined,
  to: SwitchTarget,
  before: OperationResult,
): TaskEnd | undefined {
  if (authority === undefined) return unsafe("switch.no-authority");
  const code = stateAgainst(to, before, authority.policy);
  return code === undefined ? undefined : unsafe(code);
}

/**
 * The same of the last look: who is active, stops, moratoria, flags. Synchronous, so that nothing comes between it and the
 * effect. A load behind the meter is stopped as a switch is; moratoria are about supply alone: loads are shed in frost.
 */
export function againstNow(
  { safety, clock }: { readonly safety?: SafetyPorts; readonly clock: Pick<Clock, "now"> },
  operation: Operation,
  item: AccessItem,
  authority: Authority | undefined,
  epoch: number,
): TaskEnd | undefined {
  if (safety === undefined || authority === undefined) return unsafe("switch.no-authority");
  if (authority.epoch !== epoch || (safety.region !== undefined && authority.region !== safety.region))
    return unsafe("switch.not-active");
  const now = clock.now();
  const [to, load] = [switchAct(operation), loadAct(operation)];
  const against =
    (to && ruleAgainst(authority, to, item, now)) ??
    (load && ruleAgainst({ ...authority, moratoria: [] }, load, item, now)) ??
    flagAgainst(item, to ?? load);
  return against === undefined ? undefined : unsafe(against);
}

/** Clocks of meters are apart from ours by so much at most, or are set right first, ms. */
const CLOCK_MARGIN_MS = 300_000;

/**
 * Whether the meter's log is silent about its switch since an order was sent: the code of why that is not certain, or
 * undefined. `since`, `now`: clock ms.
 */
export async function untouchedLog(session: MeterSession, since: number, now: number): Promise<string | undefined> {
  const whole = (ms: number): number => Math.floor(ms / 1000) * 1000;
  const range = { from: whole(since - CLOCK_MARGIN_MS), to: whole(now + CLOCK_MARGIN_MS) };
  try {
    const { events, refusals } = await session.perform({ kind: "readEvents", range });
    if (events === undefined || refusals.length > 0) return "switch.no-log";
    return tellsOfSwitching(events) ? "switch.moved" : undefined;
  } catch (error) {
    if (error instanceof SessionError && (error.reason === "unsupported" || error.reason === "refused"))
      return "switch.no-log";
    throw error;
  }
}
