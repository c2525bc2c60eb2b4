import { MeterId } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { type ElectricalNode, type FedMeter, treeOf } from "./electrical-tree.ts";
import { evaluateFeeder, type FeederDecision, OUTAGE_POLICY } from "./evaluate-feeder.ts";
import { type FeederRecord, noRecord } from "./outage.ts";
import { nameOutage } from "./run-outages.ts";
import type { Supply } from "./supply.ts";

export const T0 = Date.UTC(2026, 0, 12, 3);
export const MINUTE_MS = 60_000;

const NODES: readonly ElectricalNode[] = [
  { node: "L1", kind: "lateral", parent: "F1", feeder: "F1" },
  ...["T1", "T2"].map((node): ElectricalNode => ({ node, kind: "transformer", parent: "L1", feeder: "F1" })),
  ...["T3", "T4"].map((node): ElectricalNode => ({ node, kind: "transformer", parent: "F1", feeder: "F1" })),
];
/** Four transformers with six meters each: T1 and T2 on the lateral L1, T3 and T4 on the feeder F1. */
export const METERS: readonly FedMeter[] = ["T1", "T2", "T3", "T4"].flatMap((transformer, at) =>
  [0, 1, 2, 3, 4, 5].map((house) => ({
    meterId: MeterId.parse(`${transformer}-M${house}`),
    place: { segment: 0, slot: at * 6 + house },
    transformer,
    gasps: true,
  })),
);
export const TREE = treeOf("F1", NODES, METERS);

/** A feeder whose meters' supply is said meter by meter; all were read an hour before T0. */
export class Feeder {
  readonly supplies = new Map<string, Supply>(METERS.map(({ meterId }) => [meterId, { onAt: T0 - 60 * MINUTE_MS }]));
  record: FeederRecord = noRecord("F1");

  lose(at: number, ...meterIds: readonly string[]): void {
    for (const meterId of meterIds) this.supplies.set(meterId, { offAt: at, lostAt: at });
  }
  back(at: number, ...meterIds: readonly string[]): void {
    for (const meterId of meterIds)
      this.supplies.set(meterId, { onAt: at, noticed: true, lostAt: this.supplies.get(meterId)?.lostAt });
  }
  answer(at: number, ...meterIds: readonly string[]): void {
    for (const meterId of meterIds)
      this.supplies.set(meterId, { onAt: at, lostAt: this.supplies.get(meterId)?.lostAt });
  }
  silent(at: number, ...meterIds: readonly string[]): void {
    for (const meterId of meterIds) this.supplies.set(meterId, { ...this.supplies.get(meterId), silentAt: at });
  }

  /** One evaluation, its record kept. */
  look(now: number): FeederDecision {
    const decision = evaluateFeeder({
      record: this.record,
      tree: TREE,
      supply: (meterId) => this.supplies.get(meterId) ?? {},
      now,
      policy: OUTAGE_POLICY,
      nameOutage: nameOutage(nodeCrypto),
    });
    this.record = { ...decision.record, outbox: [] };
    return decision;
  }
  /** Outages by node, with their states, as the record has them open. */
  get open(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.record.open.map(({ node, state }) => [node, state]));
  }
}

export const of = (transformer: string, count = 6): readonly string[] =>
  Array.from({ length: count }, (_, house) => `${transformer}-M${house}`);
