import type { EventTeller } from "../events/tell-events.ts";
import { eachOf } from "../jobs/concurrency.ts";
import type { MeterId } from "../metering/meter.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import type { FleetColumnStore } from "../readings/fleet-columns.ts";
import { type ElectricalNode, type FedMeter, metersBelow, treeOf } from "./electrical-tree.ts";
import { evaluateFeeder, type OutagePolicy } from "./evaluate-feeder.ts";
import { OutageId } from "./outage.ts";
import { outageNews } from "./outage-news.ts";
import type { ElectricalNodes, OutageStore } from "./outage-store.ts";
import { type Supply, supplyOf } from "./supply.ts";

/** What the pass reads of the registry. */
export interface FeederMeters {
  /** Feeders of these meters; those of none are left out. */
  feedersOf(segment: number, slots: readonly number[]): Promise<readonly string[]>;
  /** Electric meters of a feeder, in no order. */
  metersOf(feeder: string): Promise<readonly FedMeter[]>;
}

export interface OutagePorts {
  readonly outages: OutageStore & Pick<ElectricalNodes, "nodesOf">;
  readonly meters: FeederMeters;
  readonly columns: Pick<FleetColumnStore, "readMany">;
  readonly crypto: Crypto;
  /** Asks these meters whether they have supply; the same key is the same question. */
  readonly ping: (meterIds: readonly MeterId[], key: string) => Promise<void>;
  readonly policy: OutagePolicy;
  /** Told of what is published. @default nobody */
  readonly teller?: Pick<EventTeller, "tell">;
}

export interface OutagePass {
  readonly feeders: number;
  readonly open: number;
  readonly changes: number;
  readonly pings: number;
  readonly momentaries: number;
}

const CONCURRENT = 4;
const TRIES = 5;

export const nameOutage =
  (crypto: Crypto) =>
  (node: string, startedAt: number): OutageId =>
    OutageId.parse(
      toHex(crypto.hash("sha256", new TextEncoder().encode(`outage\n${node}\n${startedAt}`)).subarray(0, 12)),
    );

/** What is known of the supply of all meters of a feeder, and how they hang together. */
export async function lookAtFeeder(
  {
    outages,
    meters,
    columns,
  }: Pick<OutagePorts, "meters" | "columns"> & {
    readonly outages: Pick<ElectricalNodes, "nodesOf">;
  },
  feeder: string,
) {
  const [nodes, fed]: [readonly ElectricalNode[], readonly FedMeter[]] = await Promise.all([
    outages.nodesOf(feeder),
    meters.metersOf(feeder),
  ]);
  const tree = treeOf(feeder, nodes, fed);
  const known = await columns.readMany([...new Set(fed.map(({ place }) => place.segment))]);
  const supplies = new Map<MeterId, Supply>();
  for (const { meterId, place } of metersBelow(tree))
    supplies.set(meterId, supplyOf(known.get(place.segment), place.slot));
  return { tree, supply: (meterId: MeterId): Supply => supplies.get(meterId) ?? {} };
}

/**
 * One pass over the feeders that have news or something under way. Every step may be repeated: a record is written under
 * its version with what is to be told of it inside, and told after; questions bear the version that asks them.
 */
export async function runOutages(ports: OutagePorts, now: () => number): Promise<OutagePass> {
  const { outages, meters } = ports;
  const [news, waiting] = await Promise.all([outages.news(), outages.waiting()]);
  const feeders = new Set(waiting);
  for (const { segment, slots } of news)
    for (const feeder of await meters.feedersOf(segment, slots)) feeders.add(feeder);
  const pass = { feeders: feeders.size, open: 0, changes: 0, pings: 0, momentaries: 0 };
  const failures: unknown[] = [];
  await eachOf([...feeders].sort(), CONCURRENT, async (feeder) => {
    try {
      const { open, changes, pings, momentaries } = await passFeeder(ports, feeder, now);
      pass.open += open;
      pass.changes += changes;
      pass.pings += pings;
      pass.momentaries += momentaries;
    } catch (error) {
      failures.push(error); // one feeder's trouble is not the others'
    }
  });
  if (failures.length > 0) throw failures[0];
  for (const one of news) await outages.dropNews(one);
  return pass;
}

async function passFeeder(ports: OutagePorts, feeder: string, now: () => number): Promise<Omit<OutagePass, "feeders">> {
  const { outages, crypto, policy } = ports;
  for (let tries = 0; tries < TRIES; tries++) {
    const record = await outages.record(feeder);
    const { tree, supply } = await lookAtFeeder(ports, feeder);
    const decision = evaluateFeeder({ record, tree, supply, now: now(), policy, nameOutage: nameOutage(crypto) });
    const { record: next, pings, momentaries, waits } = decision;
    await outages.setWaiting(feeder, true);
    if (pings.length > 0) await ports.ping(pings, `outage-${feeder}-${record.version}`);
    if (decision.changed && (await outages.writeRecord(next)) === "conflict") continue;
    for (const outage of next.outbox)
      if (await outages.publish(outage, now())) await ports.teller?.tell([outageNews(outage)]);
    if (next.outbox.length > 0)
      await outages.writeRecord({ ...next, outbox: [], version: record.version + (decision.changed ? 1 : 0) });
    if (!waits) await outages.setWaiting(feeder, false);
    return { open: next.open.length, changes: next.outbox.length, pings: pings.length, momentaries };
  }
  throw new HeadraceError("outage.contended", `expected to write a feeder's record within ${TRIES} tries`, {
    retry: "later",
    detail: { feeder },
  });
}
