import type { Job } from "../../shared/jobs/job.ts";
import type { TaskReport } from "../../shared/jobs/messages.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { ElectricalNode, FedMeter } from "../../shared/outage/electrical-tree.ts";
import { OUTAGE_POLICY } from "../../shared/outage/evaluate-feeder.ts";
import { powerNewsKeeper } from "../../shared/outage/keep-power-news.ts";
import { memoryOutages } from "../../shared/outage/memory-outages.ts";
import type { OutageEvent } from "../../shared/outage/outage-store.ts";
import { type OutagePass, type OutagePorts, runOutages } from "../../shared/outage/run-outages.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, chance, fraction, type Random, seeded } from "../../shared/ports/random.ts";
import { fleetColumnKeeper } from "../../shared/readings/keep-fleet-columns.ts";
import { memoryFleetColumns } from "../../shared/readings/memory-fleet-columns.ts";

const START = Date.UTC(2026, 0, 12, 3);
const MINUTE_MS = 60_000;
const PASS_MS = MINUTE_MS;
const SLOTS = 1024;

export interface StormOptions {
  readonly seed: number;
  readonly feeders: number;
  readonly minutes: number;
  /** Share of last gasps, and of notices of restoration, that never arrive. */
  readonly lost: number;
  /** Momentary interruptions a feeder. */
  readonly momentaries: number;
}

/** Something that opened and was closed again; instants are ms. */
export interface TrueFault {
  readonly node: string;
  readonly from: number;
  readonly to: number;
  readonly momentary: boolean;
}

export interface StormMeter extends FedMeter {
  readonly feeder: string;
  /** The nodes above it, and itself. */
  readonly path: readonly string[];
  readonly skewMs: number;
}

export interface Storm {
  readonly faults: readonly TrueFault[];
  readonly meters: readonly StormMeter[];
  readonly events: readonly OutageEvent[];
  readonly passes: readonly OutagePass[];
  /** Of all passes. */
  readonly pings: number;
  readonly momentaries: number;
  readonly openAtEnd: number;
}

/** Meters of feeders with laterals and transformers, of which every node has several branches. */
function grid(random: Random, feeders: number): { readonly nodes: ElectricalNode[]; readonly meters: StormMeter[] } {
  const nodes: ElectricalNode[] = [];
  const meters: StormMeter[] = [];
  for (let at = 0; at < feeders; at++) {
    const feeder = `F${at}`;
    for (let branch = 0; branch < 3; branch++) {
      const lateral = `${feeder}-L${branch}`;
      nodes.push({ node: lateral, kind: "lateral", parent: feeder, feeder });
      for (let number = 0; number < 4 + below(random, 3); number++) {
        const transformer = `${lateral}-T${number}`;
        nodes.push({ node: transformer, kind: "transformer", parent: lateral, feeder });
        for (let house = 0; house < 5 + below(random, 6); house++) {
          const meterId = MeterId.parse(`${transformer}-M${house}`);
          const place = { segment: Math.floor(meters.length / SLOTS), slot: meters.length % SLOTS };
          const path = [feeder, lateral, transformer, meterId];
          const skewMs = below(random, 6_000) - 3_000;
          meters.push({ meterId, place, transformer, gasps: true, feeder, path, skewMs });
        }
      }
    }
  }
  return { nodes, meters };
}

/** Faults of every kind; in a third of the feeders that fail something below is broken too, and lasts longer. */
function weather(
  random: Random,
  nodes: readonly ElectricalNode[],
  meters: readonly StormMeter[],
  options: StormOptions,
) {
  const faults: TrueFault[] = [];
  const within = (from: number, to: number): number => START + (from + fraction(random) * (to - from)) * MINUTE_MS;
  const last = options.minutes;
  const add = (node: string, from: number, to: number): void =>
    void faults.push({ node, from, to, momentary: to - from <= OUTAGE_POLICY.holdMs });
  for (let at = 0; at < options.feeders; at++) {
    const feeder = `F${at}`;
    const below_ = nodes.filter((node) => node.feeder === feeder);
    const pick = (kind: string): string => {
      const those = below_.filter((node) => node.kind === kind);
      return those[below(random, those.length)]!.node;
    };
    const houses = meters.filter((meter) => meter.feeder === feeder);
    for (let count = 0; count < options.momentaries; count++) {
      const node = chance(random, 0.5) ? feeder : pick("lateral");
      const from = within(2, 6) + count * 2.5 * MINUTE_MS;
      add(node, from, from + 2_000 + below(random, 45_000));
    }
    const kind = fraction(random);
    const from = within(15, last * 0.3);
    const to = within(last * 0.4, last * 0.55);
    if (kind < 0.35) {
      add(feeder, from, to);
      if (chance(random, 0.6)) {
        const inner = chance(random, 0.7) ? pick("transformer") : pick("lateral");
        // Before the feeder, by what brought it down as well, or while it is out.
        const began = [from - 5 * MINUTE_MS, from + 500, within(last * 0.32, last * 0.38)][below(random, 3)]!;
        add(inner, began, within(last * 0.7, last * 0.8));
      }
    } else if (kind < 0.6) add(pick("lateral"), from, to);
    else if (kind < 0.9) add(pick("transformer"), from, to);
    if (kind >= 0.6 && chance(random, 0.5))
      add(houses[below(random, houses.length)]!.meterId, within(15, last * 0.3), within(last * 0.4, last * 0.8));
  }
  return faults;
}

/** A seeded storm over the code that keeps, judges and tells; the network loses, delays and repeats what meters say. */
export async function storm(options: StormOptions): Promise<Storm> {
  const random = seeded(`storm ${options.seed}`);
  const { nodes, meters } = grid(random, options.feeders);
  const faults = weather(random, nodes, meters, options);
  const outages = memoryOutages();
  await outages.putNodes(nodes);
  const columns = memoryFleetColumns();
  let now = START;
  const clock: Clock = { now: () => now, sleep: async () => undefined };
  const keepers = [fleetColumnKeeper({ columns, clock, random }), powerNewsKeeper(outages)];

  const due: { readonly at: number; readonly report: TaskReport; readonly segment: number; readonly asked: boolean }[] =
    [];
  const say = ({ place, meterId }: StormMeter, at: number, said: Partial<TaskReport>, asked: boolean): void =>
    void due.push({
      at,
      segment: place.segment,
      asked,
      report: { slot: place.slot, meterId, attempt: 1, at: Math.round(at), outcome: { kind: "done" }, ...said },
    });
  const supplied = ({ path }: StormMeter, at: number): boolean =>
    !faults.some(({ node, from, to }) => path.includes(node) && from <= at && at < to);
  const tell = (meter: StormMeter, at: number, e: "power.last-gasp" | "power.restored-notice"): void => {
    if (chance(random, options.lost)) return;
    const said = { events: [{ at: Math.round(at + meter.skewMs), e, log: "alarms", code: "1" }] };
    const soon = e === "power.last-gasp" ? 1_000 + below(random, 14_000) : 5_000 + below(random, 90_000);
    const delay = chance(random, 0.02) ? 10 * MINUTE_MS * fraction(random) : soon;
    say(meter, at + delay, said, false);
    if (chance(random, 0.2)) say(meter, at + delay + below(random, 120_000), said, false);
  };
  for (const meter of meters) {
    say(meter, START - below(random, 3_600_000), {}, true);
    const edges = faults.filter(({ node }) => meter.path.includes(node)).flatMap(({ from, to }) => [from, to]);
    for (const at of [...new Set(edges)].sort((left, right) => left - right)) {
      const [was, is] = [supplied(meter, at - 1), supplied(meter, at)];
      if (was && !is) tell(meter, at, "power.last-gasp");
      if (!was && is) tell(meter, at, "power.restored-notice");
    }
  }
  const byId = new Map(meters.map((meter) => [meter.meterId, meter]));
  let pings = 0;
  const ask = (meterId: MeterId): void => {
    const meter = byId.get(meterId);
    if (meter === undefined) return;
    pings++;
    const at = now + 10_000 + below(random, 30_000);
    // Supplied for half a minute, it is in the network again.
    const answers = supplied(meter, at) && supplied(meter, at - 30_000) && !chance(random, 0.03);
    const silent = { kind: "failed", reason: "timeout", code: "link.timeout", retry: "never" } as const;
    say(meter, at, answers ? { evidence: ["tcp-accept", "module-answer", "meter-answer"] } : { outcome: silent }, true);
  };
  const PING = { operation: { kind: "ping", depth: "meter" }, createdAt: START } as unknown as Job;

  const ports: OutagePorts = {
    outages,
    columns,
    crypto: nodeCrypto,
    policy: OUTAGE_POLICY,
    meters: {
      feedersOf: async (segment, slots) => [
        ...new Set(slots.flatMap((slot) => meters[segment * SLOTS + slot]?.feeder ?? [])),
      ],
      metersOf: async (feeder) => meters.filter((meter) => meter.feeder === feeder),
    },
    ping: async (meterIds) => meterIds.forEach(ask),
  };
  const passes: OutagePass[] = [];
  for (; now <= START + options.minutes * MINUTE_MS; now += PASS_MS) {
    const arrived = due.filter(({ at }) => at <= now);
    due.splice(0, due.length, ...due.filter(({ at }) => at > now));
    const groups = new Map<string, typeof arrived>();
    for (const one of arrived) {
      const key = `${one.segment} ${one.asked}`;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    for (const [first, ...rest] of groups.values()) {
      if (first === undefined) continue;
      const reports = [first, ...rest].map(({ report }) => report);
      const batch = {
        segment: first.segment,
        reference: "",
        sentAt: now,
        job: first.asked ? PING : undefined,
        reports,
      };
      for (const keeper of keepers) await keeper.keep(batch);
    }
    passes.push(await runOutages(ports, () => now));
  }
  return {
    faults,
    meters,
    passes,
    pings,
    momentaries: passes.reduce((sum, pass) => sum + pass.momentaries, 0),
    events: await outages.events("", 1_000_000, now),
    openAtEnd: passes.at(-1)?.open ?? 0,
  };
}
