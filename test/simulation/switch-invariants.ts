import { isIntended } from "../../shared/jobs/intents.ts";
import type { Job } from "../../shared/jobs/job.ts";
import { orderNumber } from "../../shared/jobs/orders.ts";
import { readResults } from "../../shared/jobs/result-envelope.ts";
import type { Slice } from "../../shared/jobs/slice.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { AuditLink } from "../../shared/security/audit.ts";
import { type Stop, type SwitchPolicy, type SwitchTarget, stopFor } from "../../shared/switching/authority.ts";
import { FRESH_MS, type Guard, type GuardSettings, guardsFor, type Reservation } from "../../shared/switching/guard.ts";
import { taskNames } from "../../shared/switching/order-gate.ts";
import type { LedgerInvariants } from "./ledger-invariants.ts";
import { loadIsLive, type SimpleSwitch } from "./simple-switch.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { type Violations, violate } from "./violations.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Two slow calls: what was committed so long ago every last look has seen, ms. */
const LOOK_MS = 9_000;
/** From room under a guard to the switch's frames: a hold, a look and a conversation at the slowest network, ms. */
const WAY_MS = 150_000;
/** Clocks of bridges are apart by so much, and the wrong ones, ms. */
const SKEW_MS = 10_000;
const WRONG_MS = 240_000;
/** Who stood still, or whose clock was put, knows better only after this, ms. */
const DISTURBED_MS = 180_000;

export interface SwitchPlace {
  readonly meterId: string;
  readonly segment: number;
  readonly slot: number;
  readonly relay: SimpleSwitch;
}

export interface SwitchViewPorts {
  readonly now: () => number;
  readonly ledger: LedgerInvariants;
  readonly settings: GuardSettings;
  readonly policy: SwitchPolicy;
  readonly audit: readonly AuditLink[];
  /** Clocks were put by minutes at least once. */
  readonly clocksWrong: () => boolean;
  /** What the access table says of the meter's place now. */
  readonly placeOf: (place: SwitchPlace) => Promise<PlaceNow | undefined>;
}
export interface PlaceNow {
  readonly feeder?: string | undefined;
  readonly transformer?: string | undefined;
  readonly lastOrder: number;
  readonly flagged: boolean;
  readonly holder: string | undefined;
}

interface Truth {
  readonly open: boolean;
  readonly control: SimpleSwitch["control"];
  readonly seenLive: boolean;
}
const taskNameOf = taskNames(nodeCrypto);

/**
 * What must hold of switches, by what is really true: nothing moves against a stop, a flag, a newer order or a live load
 * side, without room under every guard or without its audit entry; and who says verified is right.
 */
export class SwitchInvariants {
  /** Frames that went out. */
  sends = 0;
  /** Orders of which a bridge said that they are proved. */
  verified = 0;
  readonly #ports: SwitchViewPorts;
  readonly #violations: Violations;
  readonly #guards = new Map<string, readonly Reservation[]>();
  /** Guard → when which task was sent under it. */
  readonly #sentUnder = new Map<string, Map<string, number>>();
  readonly #audited = new Map<string, number>();
  readonly #truths = new Map<string, Truth>();
  readonly #stops: { readonly stop: Stop; readonly from: number; to: number }[] = [];
  readonly #flaggedAt = new Map<string, number>();
  readonly #orderedAt = new Map<string, number>();
  readonly #afterStop = new Map<string, number>();

  constructor(ports: SwitchViewPorts, violations: Violations) {
    this.#ports = ports;
    this.#violations = violations;
  }

  stopSet(stop: Stop): void {
    this.#stops.push({ stop, from: this.#ports.now(), to: Number.POSITIVE_INFINITY });
  }
  stopLifted(stopId: string): void {
    for (const one of this.#stops) if (one.stop.stopId === stopId) one.to = Math.min(one.to, this.#ports.now());
  }
  flagSet({ meterId }: Pick<SwitchPlace, "meterId">): void {
    this.#flaggedAt.set(meterId, this.#ports.now());
  }
  ordered(place: string, order: number): void {
    this.#orderedAt.set(`${place} ${order}`, this.#ports.now());
  }

  /** A guard's item was written: in no minute and no hour there are more than it allows, by its own stamps. */
  guardWrote(name: string, reservations: readonly Reservation[]): void {
    this.#guards.set(name, reservations);
    const caps = this.#capsOf(name);
    for (const [ms, most] of [
      [MINUTE_MS, caps.perMinute],
      [HOUR_MS, caps.perHour],
    ] as const)
      for (const { at } of reservations) {
        const within = reservations.filter((one) => one.at > at - ms && one.at <= at).length;
        if (within > most) this.#broken(`guard ${name} has ${within} reservations where ${most} are allowed`);
      }
  }

  /** The frames of an order go out, now. */
  async sent(process: SimulatedProcess, place: SwitchPlace, to: SwitchTarget): Promise<void> {
    this.sends++;
    const now = this.#ports.now();
    const found = await this.#ports.placeOf(place);
    const job = this.#orderOf(process, place, found?.holder);
    const who = `${process.name} sends ${to} to ${place.meterId}`;
    if (job === undefined) return this.#broken(`${who} without an intent of its own`);
    const task = taskNameOf(job.jobId, place.segment, place.slot);
    this.#approved(job, who);
    this.#inAudit(job, place, who);
    if (to !== "open" && place.relay.sensor && loadIsLive(place.relay) && !place.relay.closed)
      this.#broken(`${who}, whose load side is live`);
    if (to === "closed" && !place.relay.sensor && !this.#ports.policy.closeBlind)
      this.#broken(`${who}, and nobody sees its load side`);
    if (process.disturbedAt + DISTURBED_MS > now || process.frozenUntil + DISTURBED_MS > now) return;
    this.#underGuards(job, to, found, task, now, who);
    this.#againstStops(process, place, to, found, now, who);
    if (found === undefined) return;
    const newer = this.#orderedAt.get(`${place.segment}/${place.slot} ${found.lastOrder}`);
    if (found.lastOrder > orderNumber(job) && newer !== undefined && newer + LOOK_MS < now)
      this.#broken(`${who}, and a newer order was accepted ${now - newer} ms ago`);
    const flagged = this.#flaggedAt.get(place.meterId);
    if (to === "open" && found.flagged && flagged !== undefined && flagged + LOOK_MS < now)
      this.#broken(`${who}, which was marked ${now - flagged} ms ago`);
  }

  /** What the switch was when `value` was read from its meter. */
  shown({ meterId, relay }: SwitchPlace, value: bigint): void {
    const { control, closed, sensor } = relay;
    this.#truths.set(`${meterId} ${value}`, {
      control,
      open: !closed,
      seenLive: sensor && loadIsLive(relay),
    });
  }

  /** A bridge hands in what it found: what it calls done was so when it looked. */
  reported(text: string): void {
    const batch = readResults(text);
    if (batch.kind !== "batch") return;
    const operation = this.#ports.ledger.jobs.get(batch.envelope.job)?.operation;
    if (operation?.kind !== "operateSwitch") return;
    const { to } = operation;
    for (const { meterId, outcome, switchEvidence } of batch.reports) {
      if (outcome.kind !== "done") continue;
      this.verified++;
      const value = switchEvidence?.after?.voltages.find(({ m }) => m === "voltage.l1.line")?.v;
      const truth = this.#truths.get(`${meterId} ${value}`);
      if (truth === undefined) this.#broken(`${to} of ${meterId} is called done without a proof`);
      else if (!isTrue(to, truth))
        this.#broken(`${to} of ${meterId} is called done, and it was ${JSON.stringify(truth)}`);
    }
  }

  #orderOf(process: SimulatedProcess, { segment, slot }: SwitchPlace, holder: string | undefined): Job | undefined {
    const intended = (slice: Slice): boolean =>
      slice.segment === segment &&
      isIntended(slice, slot) &&
      slice.lease?.owner.startsWith(`${process.name}#`) === true;
    const all = [...this.#ports.ledger.slices.values()].filter(intended);
    const slice = all.find(({ lease }) => lease?.owner === holder) ?? all[0];
    return slice && this.#ports.ledger.jobs.get(slice.jobId);
  }

  #approved({ approval, approvals = [], caller }: Job, who: string): void {
    const others = new Set(approvals.map(({ by }) => by.id).filter((id) => id !== caller.id));
    if (approval !== undefined && others.size < approval.needed)
      this.#broken(`${who} though ${approval.needed - others.size} have not approved it`);
  }

  /** As many entries as the order was sent times. */
  #inAudit({ jobId }: Job, { meterId }: SwitchPlace, who: string): void {
    const task = `${jobId} ${meterId}`;
    const times = (this.#audited.get(task) ?? 0) + 1;
    this.#audited.set(task, times);
    const written = this.#ports.audit.filter(
      ({ entry }) => entry.action === "order.intent" && entry.jobId === jobId && entry.meterId === meterId,
    ).length;
    if (written < times) this.#broken(`${who} the ${times}. time with ${written} entries in the audit`);
  }

  #underGuards(job: Job, to: SwitchTarget, place: PlaceNow | undefined, task: string, now: number, who: string): void {
    const client = (job.approvals ?? []).length > 0 ? undefined : job.caller.id;
    const ask = { to, feeder: place?.feeder, transformer: place?.transformer, client };
    const skew = this.#ports.clocksWrong() ? WRONG_MS : SKEW_MS;
    for (const guard of guardsFor(this.#ports.settings, ask)) {
      const room = this.#guards.get(guard.name)?.find((one) => one.task === task);
      if (room === undefined || room.at + FRESH_MS + WAY_MS + skew < now)
        this.#broken(`${who} without room under guard ${guard.name}`);
      const tasks = this.#sentUnder.get(guard.name) ?? new Map<string, number>();
      this.#sentUnder.set(guard.name, tasks.set(task, now));
      const within = [...tasks.values()].filter((at) => at > now - HOUR_MS + skew + WAY_MS).length;
      if (within > guard.caps.perHour)
        this.#broken(
          `${who} as number ${within} of an hour under guard ${guard.name}, which allows ${guard.caps.perHour}`,
        );
    }
  }

  #againstStops(
    process: SimulatedProcess,
    { meterId }: SwitchPlace,
    to: SwitchTarget,
    place: PlaceNow | undefined,
    now: number,
    who: string,
  ): void {
    for (const { stop, from, to: lifted } of this.#stops) {
      if (now >= lifted || stopFor([stop], to, { feeder: place?.feeder }, now) === undefined) continue;
      if (from + LOOK_MS < now) this.#broken(`${who} though a stop was set ${now - from} ms ago`);
      const session = `${stop.stopId} ${process.name} ${meterId}`;
      const times = (this.#afterStop.get(session) ?? 0) + 1;
      this.#afterStop.set(session, times);
      if (times > 1) this.#broken(`${who} for the ${times}. time since a stop was set`);
    }
  }

  #capsOf(name: string): Guard["caps"] {
    const [direction = "", scope = "all"] = name.split("/");
    const limits = this.#ports.settings[direction === "opening" ? "opening" : "closing"];
    return limits[scope as keyof typeof limits];
  }

  #broken(what: string): void {
    violate(this.#violations, what);
  }
}

function isTrue(to: SwitchTarget, { open, control, seenLive }: Truth): boolean {
  switch (to) {
    case "open":
      return open && control === "open" && !seenLive;
    case "closed":
      return !open;
    case "armed": // or closed by the customer since
      return open ? control === "armed" && !seenLive : control === "closed";
  }
}
