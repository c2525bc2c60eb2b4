import type { SafetyPorts } from "../../shared/bridge/order-safety.ts";
import { approvalDigest, awaitsApproval, type OrderGate } from "../../shared/jobs/approval.ts";
import { approveJob } from "../../shared/jobs/approve-job.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import type { Caller, Job } from "../../shared/jobs/job.ts";
import { MeterId, type Place } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, chance, type Random, seeded } from "../../shared/ports/random.ts";
import { type AuditLog, auditLog } from "../../shared/security/audit.ts";
import { memoryAudit } from "../../shared/security/memory-audit.ts";
import { CAUTIOUS, type Stop, type SwitchPolicy, type SwitchTarget } from "../../shared/switching/authority.ts";
import type { Caps, GuardSettings } from "../../shared/switching/guard.ts";
import { type GuardDesk, type GuardStore, guardDesk } from "../../shared/switching/guard-desk.ts";
import { memoryGuards } from "../../shared/switching/memory-guards.ts";
import { switchGate, taskNames } from "../../shared/switching/order-gate.ts";
import { effect } from "./effects.ts";
import type { Functions } from "./functions.ts";
import type { Ask } from "./requests.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { SwitchInvariants } from "./switch-invariants.ts";
import type { World } from "./world-ports.ts";

const CALLERS: readonly Caller[] = [
  { id: "anna", name: "Anna", roles: ["operator"] },
  { id: "billing", roles: ["operator"] },
];
const APPROVERS: readonly Caller[] = [
  { id: "berta", name: "Berta", roles: ["supervisor"] },
  { id: "carl", name: "Carl", roles: ["supervisor"] },
];
/** Some amounts are the same: what one order explains, another might. */
const AMOUNTS = [500, 500, 500, 1_000] as const;
const CREDITS_MAX = 6;
const OTHER_DIGEST = "0".repeat(64);
/** Mean pauses between what people do, ms. */
const STOP_MS = 400_000;
const STOPPED_MS = 120_000;
const FLAG_MS = 400_000;
const APPROVE_MS = 10_000;
/** When the last order is asked for, and how long each may take, ms. */
const ASKED_MS = 400_000;
const EXPIRY_MS = 1_100_000;
const ORDERS_MIN = 8;
const ORDERS_MAX = 20;

export const feederOf = ({ segment }: Pick<Place, "segment">): string => `F-${segment}`;
export const transformerOf = ({ segment, slot }: Place): string => `T-${segment}-${slot >> 1}`;

/**
 * Orders to switches in one seed's world: who asks, who approves and stops, what guards and the audit hold; each call of
 * a process an effect that may fail. It has its own chance, so that seeds without it stay as they are.
 */
export class Switching {
  readonly invariants: SwitchInvariants;
  readonly settings: GuardSettings;
  readonly policy: SwitchPolicy;
  readonly #world: World;
  readonly #random: Random;
  readonly #guards = memoryGuards();
  readonly #audit = memoryAudit();
  #stops: readonly Stop[] = [];
  #stopNumber = 0;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#random = seeded(`switching ${seed}`);
    const random = this.#random;
    const caps = (most: number): Caps => {
      const perHour = 2 + below(random, most);
      return { perHour, perMinute: 1 + below(random, perHour) };
    };
    const direction = () => ({ all: caps(14), feeder: caps(10), transformer: caps(4), client: caps(8) });
    const approveAbove = 1 + below(random, 6);
    const approveTwiceAbove = approveAbove + below(random, 4);
    this.settings = { opening: direction(), closing: direction(), approveAbove, approveTwiceAbove };
    const least = () => (chance(random, 0.2) ? "position+voltage" : "position");
    this.policy = { ...CAUTIOUS, leastProof: { open: least(), closed: least() }, closeBlind: chance(random, 0.5) };
    const { settings, policy } = this;
    this.invariants = new SwitchInvariants(
      {
        now: () => world.time.now,
        ledger: world.ledgerView,
        settings,
        policy,
        audit: this.#audit.links,
        clocksWrong: () => world.clocksWrong,
        placeOf: async (place) => {
          const item = await world.access.read(place);
          if (item === undefined) return undefined;
          const { feeder, transformer, lastOrder, flags, hold } = item;
          const flagged = flags.medical || flags.priority || flags.moratorium;
          return { feeder, transformer, lastOrder, flagged, holder: hold?.owner };
        },
      },
      world.violations,
    );
  }

  /** What a bridge asks before it operates a switch. */
  safety(process: SimulatedProcess): SafetyPorts {
    const world = this.#world;
    return {
      authority: () =>
        effect(
          world,
          process,
          "authority",
          async () => ({ epoch: world.epoch, region: "here", stops: this.#stops, moratoria: [], policy: this.policy }),
          { reads: true },
        ),
      region: "here",
      guards: this.#desk(process),
      audit: this.#log(process),
      taskName: taskNames(nodeCrypto),
    };
  }

  /** What the API asks when an order is asked for. */
  gate(process: SimulatedProcess): OrderGate {
    const world = this.#world;
    return switchGate({
      guards: this.#desk(process),
      settings: async () => this.settings,
      access: {
        read: (place) => effect(world, process, "read access", () => world.access.read(place), { reads: true }),
      },
      crypto: nodeCrypto,
      audit: this.#log(process),
    });
  }

  asks(meters: readonly string[]): readonly Ask[] {
    const random = this.#random;
    const { time } = this.#world;
    const any = (): MeterId => MeterId.parse(meters[below(random, meters.length)]);
    return Array.from({ length: ORDERS_MIN + below(random, ORDERS_MAX - ORDERS_MIN + 1) }, (_, number): Ask => {
      const at = time.now + below(random, ASKED_MS);
      const to = (["open", "open", "closed", "armed"] as const)[below(random, 4)] ?? "open";
      const some = chance(random, 0.3);
      return {
        at,
        caller: CALLERS[below(random, CALLERS.length)] ?? CALLERS[0],
        request: {
          operation: { kind: "operateSwitch", to: to satisfies SwitchTarget },
          target: chance(random, 0.2)
            ? { kind: "all" }
            : { kind: "meters", meterIds: some ? [any(), any(), any()] : [any()] },
          retry: { passes: 1 + below(random, 3), backoffSeconds: 10 + below(random, 40) },
          deadline: at + 60_000 + below(random, EXPIRY_MS),
          reason: "nobody has paid",
          idempotencyKey: `switch ${number}`,
        },
      };
    });
  }

  /** Top-ups of some few meters, by chance of their own. */
  credits(meters: readonly string[]): readonly Ask[] {
    const random = seeded(`credits ${this.#random.uint32()}`);
    const { time } = this.#world;
    return Array.from({ length: below(random, CREDITS_MAX + 1) }, (_, number): Ask => {
      const at = time.now + below(random, ASKED_MS);
      const value = AMOUNTS[below(random, AMOUNTS.length)] ?? 500;
      return {
        at,
        caller: CALLERS[0],
        request: {
          operation: { kind: "addCredit", amount: { currency: "EUR", value, scaler: -2 } },
          target: { kind: "meters", meterIds: [MeterId.parse(meters[below(random, 2)])] },
          retry: { passes: 1 + below(random, 3), backoffSeconds: 10 + below(random, 40) },
          deadline: at + 60_000 + below(random, EXPIRY_MS),
          reason: "somebody has paid",
          idempotencyKey: `credit ${number}`,
        },
      };
    });
  }

  /** People: stops, flags, approvals, for as long as there are faults; approvals to the end. */
  start(functions: Functions, places: readonly (Place & { readonly meterId: string })[]): void {
    const { time, faults } = this.#world;
    const random = this.#random;
    const again = (pauseMs: number, run: () => void, toTheEnd = false): void =>
      void time.after(1_000 + below(random, 2 * pauseMs), () => {
        if (!faults.active && !toTheEnd) return;
        run();
        again(pauseMs, run, toTheEnd);
      });
    if (chance(random, 0.6)) again(STOP_MS, () => this.#stop());
    if (chance(random, 0.4)) again(FLAG_MS, () => this.#flag(places[below(random, places.length)]));
    const forgets = chance(random, 0.2);
    again(APPROVE_MS, () => this.#approve(functions, forgets && faults.active), true);
  }

  /** What was stopped goes on. */
  calm(): void {
    for (const { stopId } of this.#stops) this.#lift(stopId);
  }

  #awaiting(): Job[] {
    return [...this.#world.ledgerView.jobs.values()].filter((job) => job.state === "planned" && awaitsApproval(job));
  }

  #stop(): void {
    const { time, trace } = this.#world;
    const random = this.#random;
    const stopId = `s${++this.#stopNumber}`;
    const stop: Stop = {
      stopId,
      acts: chance(random, 0.5) ? "switching" : "opening",
      ...(chance(random, 0.3) ? { feeder: feederOf({ segment: 0 }) } : {}),
      reason: "a mistake",
      by: { id: "anna" },
      at: time.now,
    };
    this.#stops = [...this.#stops, stop];
    this.invariants.stopSet(stop);
    trace?.(() => `a stop is set: ${JSON.stringify(stop)}`);
    time.after(1_000 + below(random, 2 * STOPPED_MS), () => this.#lift(stopId));
  }

  #lift(stopId: string): void {
    this.#stops = this.#stops.filter((stop) => stop.stopId !== stopId);
    this.invariants.stopLifted(stopId);
  }

  #flag(place: (Place & { readonly meterId: string }) | undefined): void {
    if (place === undefined) return;
    const { access, trace } = this.#world;
    const flags = { medical: chance(this.#random, 0.7), priority: false, moratorium: false };
    this.invariants.flagSet(place);
    trace?.(() => `${place.meterId} is marked ${JSON.stringify(flags)}`);
    void access.setFlags(place, MeterId.parse(place.meterId), flags);
  }

  #approve(functions: Functions, forgets: boolean): void {
    const random = this.#random;
    for (const { jobId } of this.#awaiting()) {
      if (forgets && chance(random, 0.7)) continue;
      const by = APPROVERS[below(random, APPROVERS.length)];
      const wrong = chance(random, 0.1);
      if (by === undefined) continue;
      void functions.ask(async (ports, process) => {
        const job = await ports.ledger.job(jobId);
        if (job === undefined) return;
        const seen = approvalDigest(nodeCrypto, job, await collected(ports.ledger.slicesOf(jobId)));
        await approveJob(ports, jobId, by, wrong ? OTHER_DIGEST : seen, () =>
          this.#log(process).append({ at: process.clock.now(), by: { id: by.id }, action: "job.approved", jobId }),
        );
      });
    }
  }

  #desk(process: SimulatedProcess): GuardDesk {
    const world = this.#world;
    const stored = this.#guards;
    const store: GuardStore = {
      read: (names) => effect(world, process, `read ${names.length} guards`, () => stored.read(names), { reads: true }),
      write: (name, version, reservations) =>
        effect(
          world,
          process,
          `write guard ${name}`,
          async () => {
            const answer = await stored.write(name, version, reservations);
            if (answer === "written") this.invariants.guardWrote(name, reservations);
            return answer;
          },
          { lost: () => "conflict" },
        ),
    };
    return guardDesk({ store, clock: process.clock, settings: async () => this.settings });
  }

  #log(process: SimulatedProcess): AuditLog {
    const world = this.#world;
    const stored = this.#audit;
    return auditLog({
      store: {
        last: (chain) => effect(world, process, `last of audit ${chain}`, () => stored.last(chain), { reads: true }),
        put: (link) =>
          effect(world, process, `audit ${link.entry.action}`, () => stored.put(link), { lost: () => "conflict" }),
      },
      crypto: nodeCrypto,
      clock: process.clock,
    });
  }
}
