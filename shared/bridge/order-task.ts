import type { AccessItem, AccessStore } from "../jobs/access.ts";
import type { EffectRecord } from "../jobs/effect-record.ts";
import { isIntended, SENT_MAX } from "../jobs/intents.ts";
import type { CounterSource, MeterSession } from "../metering/driver.ts";
import type { EffectBaseline, EffectSession, EffectVerdict } from "../metering/effect.ts";
import { SessionError } from "../metering/failure.ts";
import { isOnce, type OnceOperation, type Operation } from "../metering/operation.ts";
import type { Clock } from "../ports/clock.ts";
import { actDetail, takesSupply } from "../switching/switch-act.ts";
import { alreadyThere } from "../switching/switch-checks.ts";
import { countedTry } from "./counted-try.ts";
import { type ActiveEpoch, counterDesk } from "./counter-desk.ts";
import { claimCredit, releaseCredit } from "./credit-claim.ts";
import { withHold } from "./meter-hold.ts";
import { failed, LEFT, NOTHING, SUPERSEDED, same, settled, shownOf, withRecord } from "./order-ends.ts";
import {
  admitted,
  againstBefore,
  againstNow,
  type OrderAsker,
  type SafetyPorts,
  untouchedLog,
} from "./order-safety.ts";
import { converse, type PerformPorts, type TimeLimits } from "./perform.ts";
import type { SliceFacts } from "./slice-facts.ts";
import type { SliceLease } from "./slice-lease.ts";
import { switchEvidence } from "./switch-evidence.ts";
import { registerRecords, type TaskEnd } from "./task-report.ts";
import type { Yielding } from "./yielding.ts";

/**
 * That nothing happened is believed only so long after the order was sent, ms: a meter, or the network before it, may be
 * slow, and a counter may rise after the answer.
 */
export const SETTLE_MS = 60_000;
/** Pauses between proofs right after the meter's own yes, ms; when all are over it is looked for in a later pass. */
const PROOF_PAUSES_MS = [1_000, 1_000] as const;
/** A contact follows its control after a moment, mostly a short one. */
const SWITCH_PAUSES_MS = [100, 100, 150, 250, 500, 1_000, 1_000] as const;
/** A switch bounces, and a load side falls dead slowly: what is shown of it counts when it is shown again after this, ms. */
const STEADY_MS = 100;
/** Counters that an order leases for its one meter. */
const ORDER_BLOCK = 256;
/** No order goes out when hold or lease have less than this left, ms. */
const MARGIN_MS = 5_000;

export interface OrderPorts extends PerformPorts {
  readonly clock: Clock;
  readonly access: AccessStore;
  readonly activeEpoch: ActiveEpoch;
  /** Absent: no switch is operated, and nothing is written of other orders (tests). */
  readonly safety?: SafetyPorts;
  /** Who makes way when orders wait; absent: nobody. */
  readonly lanes?: Pick<Yielding, "took">;
}

/** One job's order to the meters of one slice. */
export interface Order {
  readonly operation: Operation;
  /** Who asked for it, and why. */
  readonly asker: OrderAsker;
  /** By which the newest order for a meter is told. */
  readonly number: number;
  /** Machine clock ms: from then on nothing is sent. */
  readonly deadline: number;
  /** Whose hold it is. */
  readonly owner: string;
  readonly lease: Pick<SliceLease, "isHeld" | "until" | "intents" | "slice">;
  /** Whether the job still runs and this bridge still works, at most two seconds old. */
  readonly mayOperate: () => Promise<boolean>;
  readonly limits: TimeLimits;
  readonly hangUp: AbortSignal;
  readonly facts: SliceFacts;
}

/**
 * One try of an order at one meter: hold, then counters, then a look at the access item, then the conversation that its
 * replay class asks for. The engine enforces the class, not the driver. Never rejects for what the meter does; throws what
 * its ports throw.
 */
export async function tryOrder(ports: OrderPorts, order: Order, seen: AccessItem, attempt: number): Promise<TaskEnd> {
  const { clock, access, activeEpoch } = ports;
  const { lease, owner, facts } = order;
  if (!isIntended(lease.slice, seen.slot)) {
    const refused = await admitted(ports.safety, order, seen);
    if (refused !== undefined) return refused;
  }
  const end = await withHold(
    ports,
    seen,
    owner,
    () => lease.until,
    async (hold) => {
      const desk = counterDesk(access, activeEpoch, clock, seen.segment, ORDER_BLOCK);
      const counters = await desk.lease();
      const looked = clock.now();
      const item = await access.read(seen);
      ports.lanes?.took(clock.now() - looked);
      if (item === undefined || item.meterId !== seen.meterId) return failed("retired", "access.gone");
      const task = new OrderTask(ports, order, attempt, counters.epoch);
      const session = (found: AccessItem, source: CounterSource) => task.session(found, source);
      const mayGoOn = async () => lease.isHeld();
      const parts = { clock, desk, facts, holder: owner, session, mayGoOn };
      const kept: Parameters<typeof countedTry>[2] = {};
      try {
        return (await countedTry(parts, { item, lease: counters }, kept)).end;
      } finally {
        hold.used(kept.counters?.look.lease.base ?? 0n);
      }
    },
  );
  return end === "busy" ? failed("busy", "access.held") : end;
}

class OrderTask {
  readonly #ports: OrderPorts;
  readonly #order: Order;
  readonly #attempt: number;
  /** Of the counters in use. */
  readonly #epoch: number;

  constructor(ports: OrderPorts, order: Order, attempt: number, epoch: number) {
    this.#ports = ports;
    this.#order = order;
    this.#attempt = attempt;
    this.#epoch = epoch;
  }

  /** One conversation; whatever it says about an effect that may have begun is no end of it. */
  async session(item: AccessItem, source: CounterSource): Promise<TaskEnd> {
    const { operation, lease, limits, hangUp } = this.#order;
    const { slot } = item;
    const known = await lease.intents.look(slot);
    if (known === "lost") return LEFT;
    const refused = known === "none" ? this.#refused(item) : undefined;
    if (refused !== undefined) return refused;
    const begun: Begun = {
      record: known === "none" ? undefined : known.effect,
      mayStand: known !== "none",
      told: false,
    };
    if (known !== "none" && known.effect === undefined) return failed("unverified", "effect.no-record", "never");
    const talk = isOnce(operation)
      ? async (session: MeterSession) => {
          const told = await this.#effect(session, operation, item, begun);
          begun.told = true;
          return told;
        }
      : async (session: MeterSession): Promise<TaskEnd> => this.#set(session, operation, item);
    const end = await converse(this.#ports, item, source, this.#attempt, limits, hangUp, talk, operation.kind);
    if (end.kind === "done" || !begun.mayStand) await releaseCredit(this.#ports.access, this.#order, item);
    const told = begun.record === undefined ? end : withRecord(end, begun.record, begun.told);
    if (operation.kind !== "operateSwitch" || told.kind === "left") return told;
    const shown = end.kind === "done" ? end.result : end.kind === "failed" ? end.shown : undefined;
    const evidence = switchEvidence(begun.record, shown, end.kind === "done" && !this.#order.asker.test);
    return evidence === undefined ? told : { ...told, switchEvidence: evidence };
  }

  /**
   * A setting of class `state`. One that can cut somebody off is looked at last of all, right before its frames; a test of
   * it ends there.
   */
  async #set(session: MeterSession, operation: Operation, item: AccessItem): Promise<TaskEnd> {
    const { test } = this.#order.asker;
    if (!test) await this.#written(item);
    if (!takesSupply(operation))
      return test ? failed("unsupported", "order.no-test") : { kind: "done", result: await session.perform(operation) };
    let instead: TaskEnd | undefined;
    const mayChange = async (): Promise<void> => {
      instead = (await this.#lastLook(item, operation)) ?? (test ? { kind: "done", result: NOTHING } : undefined);
      if (instead !== undefined) throw new SessionError("unsafe", "order.held-back", "nothing is to be changed");
    };
    try {
      return { kind: "done", result: await session.perform(operation, mayChange) };
    } catch (error) {
      if (instead !== undefined) return instead;
      throw error;
    }
  }

  /** Why nothing is sent, apart from what the meter says; the hold and the lease are asked last of all. */
  #refused({ lastOrder }: Pick<AccessItem, "lastOrder">): TaskEnd | undefined {
    const { number, deadline } = this.#order;
    if (lastOrder > number) return SUPERSEDED;
    return this.#ports.clock.now() >= deadline ? LEFT : undefined; // the sweep lets it expire
  }

  async #effect(session: MeterSession, operation: OnceOperation, item: AccessItem, begun: Begun): Promise<TaskEnd> {
    const { effects } = session;
    if (effects === undefined)
      throw new SessionError("unsupported", "driver.no-effects", "the driver knows no effects");
    let sent = 0;
    if (begun.record !== undefined) {
      const end = await this.#proved(session, effects, operation, item, begun.record);
      if (end !== "send-again") return end;
      sent = begun.record.sent;
    }
    if (!(await claimCredit(this.#ports, this.#order, item))) return failed("busy", "access.credit-in-doubt", "later");
    // Who may do what is looked up while the meter is read; the last look asks again.
    const authority = operation.kind === "operateSwitch" ? this.#ports.safety?.authority() : undefined;
    authority?.catch(() => undefined); // it is awaited below, where what it throws counts
    const { before, baseline } = await effects.baseline(operation);
    if (operation.kind === "operateSwitch") {
      const there = alreadyThere(operation.to, before);
      if (there !== undefined) return settled(there, operation);
      const against = againstBefore(await authority, operation.to, before);
      if (against !== undefined) {
        if (begun.record !== undefined) await this.#cleared(item.slot, begun); // it has just shown that nothing happened
        return against;
      }
    }
    if (this.#order.asker.test) return (await this.#lastLook(item, operation)) ?? { kind: "done", result: before };
    const readAt = this.#ports.sessionClock.now();
    const registers = registerRecords(before.registers).map((register) => ({ ...register, at: register.at ?? readAt }));
    const record: EffectRecord = { baseline, before: registers, at: this.#ports.clock.now(), sent: sent + 1 };
    begun.mayStand = true;
    if (!(await this.#announced(item, record, begun))) return LEFT;
    const refused = await this.#lastLook(item, operation).catch((error: unknown) => ({ error }));
    if (refused !== undefined) {
      await this.#cleared(item.slot, begun); // nothing was sent
      if ("error" in refused) throw refused.error;
      return refused;
    }
    const answer = await effects.operate(operation);
    return answer.kind === "accepted"
      ? this.#shown(effects, operation, record)
      : this.#denied(effects, operation, item.slot, begun, record, answer);
  }

  /** What becomes of an order that may have been sent: never sent again before the meter has shown that nothing happened. */
  async #proved(
    session: MeterSession,
    effects: EffectSession,
    operation: OnceOperation,
    item: AccessItem,
    record: EffectRecord,
  ): Promise<TaskEnd | "send-again"> {
    const verdict = await this.#agreed(effects, operation, record, () => true);
    // What the meter shows may be the newer order's doing: a bridge may have carried that out since the intent.
    if (verdict.kind === "happened" && item.lastOrder > this.#order.number)
      return { ...failed("unverified", "effect.newer-order", "never"), ...shownOf(verdict) };
    if (verdict.kind !== "did-not-happen") return settled(verdict, operation);
    if (this.#ports.clock.now() < record.at + SETTLE_MS)
      return { ...failed("unverified", "effect.unsettled", "later"), rest: true, ...shownOf(verdict) };
    if (operation.kind === "operateSwitch") {
      // It stands as before: it never moved, or it moved and somebody moved it back.
      const moved = await untouchedLog(session, record.at, this.#ports.sessionClock.now());
      if (moved !== undefined) return { ...failed("unverified", moved, "never"), ...shownOf(verdict) };
    }
    const refused = this.#refused(item) ?? ((await this.#order.mayOperate()) ? undefined : LEFT);
    if (refused === undefined && record.sent >= SENT_MAX)
      return { ...failed("no-effect", "effect.none"), ...shownOf(verdict) };
    // Its room is as old as the first try: what counts is when the switch moves.
    const against = refused ?? (await admitted(this.#ports.safety, this.#order, item));
    if (against === undefined) return "send-again";
    if (against.kind === "failed" && against.waitUntil !== undefined)
      return { ...failed("no-effect", "guard.full", "later"), rest: true, ...shownOf(verdict) };
    await this.#order.lease.intents.clear(item.slot);
    return against.kind === "left" ? against : { ...against, before: record.before };
  }

  /** After the meter's yes: its count may rise a little later. */
  async #shown(effects: EffectSession, operation: OnceOperation, record: EffectRecord): Promise<TaskEnd> {
    // A contact follows its control after a moment: that a switch is neither here nor there counts when the time is over.
    const switching = operation.kind === "operateSwitch";
    const verdict = await this.#agreed(
      effects,
      operation,
      record,
      ({ kind }) => kind === "happened" || kind === "refused" || (kind === "cannot-tell" && !switching),
    );
    return verdict.kind === "did-not-happen"
      ? { ...failed("unverified", "effect.not-shown", "later"), rest: true, ...shownOf(verdict) }
      : settled(verdict, operation);
  }

  /**
   * What the meter shows of an effect, read until `suits`; of a switch until two readings in a row say the same. The last
   * one when the time is over, or that nobody can tell where a switch never showed the same twice.
   */
  async #agreed(
    effects: EffectSession,
    operation: OnceOperation,
    { baseline }: EffectRecord,
    suits: (verdict: EffectVerdict) => boolean,
  ): Promise<EffectVerdict> {
    const { clock } = this.#ports;
    const twice = operation.kind === "operateSwitch";
    let last: EffectVerdict | undefined;
    for (const pause of [...(twice ? SWITCH_PAUSES_MS : PROOF_PAUSES_MS), undefined]) {
      let verdict = await effects.prove(operation, baseline);
      let agrees = !twice || (last !== undefined && same(last, verdict));
      if (!agrees && (pause === undefined || suits(verdict))) {
        await clock.sleep(STEADY_MS);
        const again = await effects.prove(operation, baseline);
        agrees = same(verdict, again);
        verdict = again;
      }
      if (agrees && suits(verdict)) return verdict;
      if (pause === undefined)
        return agrees ? verdict : { kind: "cannot-tell", code: "switch.unsteady", ...shownOf(verdict) };
      last = verdict;
      await clock.sleep(pause);
    }
    throw new RangeError("the last pause is none");
  }

  /** After the meter's no, which is believed when nothing has changed. */
  async #denied(
    effects: EffectSession,
    operation: OnceOperation,
    slot: number,
    begun: Begun,
    record: EffectRecord,
    { code, retry }: { readonly code: string; readonly retry: "later" | "never" },
  ): Promise<TaskEnd> {
    const verdict = await this.#agreed(effects, operation, record, () => true);
    if (verdict.kind !== "did-not-happen") return settled(verdict, operation);
    if (retry === "later") await this.#cleared(slot, begun);
    return { ...failed("refused", code, retry), before: record.before, ...shownOf(verdict) };
  }

  /**
   * The last look before the effect. After the one consistent read of the access item nothing asynchronous happens until
   * the frames go out: what is refused here was not sent, and what is not refused acts at once.
   */
  async #lastLook(item: AccessItem, operation: Operation): Promise<TaskEnd | undefined> {
    const { owner, lease, mayOperate } = this.#order;
    if (!(await mayOperate())) return LEFT;
    const takes = takesSupply(operation);
    const [now, authority] = await Promise.all([
      this.#ports.access.read(item),
      takes ? this.#ports.safety?.authority() : undefined,
    ]);
    const { hold } = now ?? {};
    if (now === undefined || now.meterId !== item.meterId) return failed("retired", "access.gone");
    if (hold?.owner !== owner || hold.until <= this.#ports.clock.now() + MARGIN_MS)
      return failed("busy", "access.hold-lost");
    if (!lease.isHeld()) return LEFT;
    const against = takes ? againstNow(this.#ports, operation, now, authority, this.#epoch) : undefined;
    if (against !== undefined) return against;
    return this.#refused(now);
  }

  /** Audit and intent, before the first octet of an effect; false: nothing may be sent. */
  async #announced(item: AccessItem, record: EffectRecord, begun: Begun): Promise<boolean> {
    const [audited, intended] = await Promise.allSettled([
      this.#written(item, record.baseline),
      this.#order.lease.intents.write(item.slot, record),
    ]);
    if (intended.status === "rejected") throw intended.reason;
    if (!intended.value) return false;
    begun.record = record;
    if (audited.status === "fulfilled") return true;
    await this.#cleared(item.slot, begun); // nothing was sent
    throw audited.reason;
  }

  /** Written before anything of the order can happen; what cannot be written is not done. */
  async #written({ meterId }: AccessItem, baseline?: EffectBaseline): Promise<void> {
    const { operation, asker } = this.#order;
    const { by, jobId, reason } = asker;
    await this.#ports.safety?.audit.append({
      at: this.#ports.clock.now(),
      by,
      action: "order.intent",
      meterId,
      jobId,
      ...(reason === undefined ? {} : { reason }),
      detail: { operation: operation.kind, ...actDetail(operation), ...baseline },
    });
  }

  async #cleared(slot: number, begun: Begun): Promise<void> {
    await this.#order.lease.intents.clear(slot);
    begun.record = undefined;
    begun.mayStand = false;
  }
}

/** The intent that stands in the ledger, as far as this session knows. */
interface Begun {
  record: EffectRecord | undefined;
  /** It stands there, or was to be written and nobody knows whether it is. */
  mayStand: boolean;
  /** The conversation came to its end; else it broke off. */
  told: boolean;
}
