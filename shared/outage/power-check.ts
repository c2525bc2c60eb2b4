import { z } from "zod";
import type { Timeline } from "../events/timeline.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { MeterId, type Place } from "../metering/meter.ts";
import type { DayBlocks } from "../readings/blocks.ts";
import { type FleetColumnStore, type FleetColumns, factsOf, noColumns } from "../readings/fleet-columns.ts";
import { readReadings } from "../readings/read-readings.ts";
import { judgeNoPower, type NeighbourEvidence, type PowerFacts } from "./no-power-verdict.ts";
import type { OutageStore } from "./outage-store.ts";
import { supplyOf } from "./supply.ts";

const StoredPlace = z.strictObject({ segment: z.int(), slot: z.int() });

/** What was asked for a call "no power". Instants are clock ms. */
export const PowerCheck = z.strictObject({
  checkId: z.string(),
  meterId: MeterId,
  place: StoredPlace,
  feeder: z.string().optional(),
  askedAt: z.int(),
  /** Meters of the same transformer that were asked as well. */
  neighbours: z.array(StoredPlace),
  jobs: z.array(z.string()),
});
export type PowerCheck = z.infer<typeof PowerCheck>;

export interface PowerCheckPorts {
  readonly columns: Pick<FleetColumnStore, "readMany">;
  readonly blocks: Pick<DayBlocks, "ofMeter">;
  readonly timeline: Pick<Timeline, "of">;
  readonly ledger: Pick<Ledger, "job">;
  readonly outages: Pick<OutageStore, "record">;
}

/** After so long nothing more is waited for. */
export const CHECK_MS = 300_000;
/** Neighbours that are asked. */
export const NEIGHBOURS_MAX = 5;
const ENTRIES_MAX = 500;

/** How a meter that was asked then stands now. */
function answerOf(columns: FleetColumns | undefined, slot: number, askedAt: number): PowerFacts["meter"] {
  const { contactAt = 0, triedAt = 0, reason } = factsOf(columns ?? noColumns(), slot);
  const since = Math.floor(askedAt / 1000) * 1000; // facts are of whole seconds
  if (contactAt >= since) return "answered";
  if (triedAt < since) return "asking";
  return reason === "none" || reason === "meter-silent" ? "module-only" : "silent";
}

function neighboursNow(check: PowerCheck, columns: ReadonlyMap<number, FleetColumns>): NeighbourEvidence {
  const evidence = { asked: check.neighbours.length, supplied: 0, silent: 0, off: 0 };
  for (const { segment, slot } of check.neighbours) {
    const known = columns.get(segment);
    const answer = answerOf(known, slot, check.askedAt);
    if (supplyOf(known, slot).offAt !== undefined) evidence.off++;
    else if (answer === "answered") evidence.supplied++;
    else if (answer === "silent") evidence.silent++;
  }
  return evidence;
}

/** Whether the newest order to the switch that was carried out left it open. */
async function isOpenByOrder({ timeline, ledger }: PowerCheckPorts, meterId: MeterId, now: number): Promise<boolean> {
  const entries = await timeline.of(meterId, 0, now, ENTRIES_MAX);
  for (const entry of entries) {
    if (entry.kind !== "command" || entry.operation !== "operateSwitch" || entry.outcome !== "done") continue;
    const operation = (await ledger.job(entry.jobId as Parameters<Ledger["job"]>[0]))?.operation;
    return operation?.kind !== "operateSwitch" || operation.to !== "closed";
  }
  return false;
}

async function voltagesOf({ blocks }: PowerCheckPorts, place: Place, askedAt: number, now: number) {
  const { registers } = await readReadings({ blocks }, place, askedAt - 1_000, now + 1_000);
  const volts = (side: "line" | "load"): number[] => {
    const newest = new Map<string, number>();
    for (const { measurement, value, scaler } of registers)
      if (measurement.startsWith("voltage.") && measurement.endsWith(`.${side}`))
        newest.set(measurement, Number(value) * 10 ** scaler);
    return [...newest.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, value]) => value);
  };
  return { lineVolts: volts("line"), loadVolts: volts("load") };
}

/** What has been found of a check by now, and what follows from it. */
export async function judgeCheck(ports: PowerCheckPorts, check: PowerCheck, now: number) {
  const { meterId, place, askedAt, feeder, neighbours } = check;
  const segments = [...new Set([place, ...neighbours].map(({ segment }) => segment))];
  const columns = await ports.columns.readMany(segments);
  const own = columns.get(place.segment);
  const over = now - askedAt >= CHECK_MS;
  const answer = answerOf(own, place.slot, askedAt);
  const meter = answer === "asking" && over ? "silent" : answer;
  const known = factsOf(own ?? noColumns(), place.slot);
  const state =
    known.switch !== undefined && known.switch.at >= Math.floor(askedAt / 1000) * 1000 ? known.switch : undefined;
  const found = neighboursNow(check, columns);
  const heard = found.supplied + found.silent + found.off;
  const isOpen = state === undefined ? undefined : state.position === "open" || state.position === "armed";
  const [{ lineVolts, loadVolts }, openByOrder, record] = await Promise.all([
    voltagesOf(ports, place, askedAt, now),
    isOpen === true ? isOpenByOrder(ports, meterId, now) : false,
    feeder === undefined ? undefined : ports.outages.record(feeder),
  ]);
  const outage = record?.open.find(
    ({ meterIds, state: stands }) => stands === "confirmed" && meterIds.includes(meterId),
  );
  const lastGaspAt = supplyOf(own, place.slot).offAt;
  const facts: PowerFacts = {
    ...{ meter, lineVolts, loadVolts, openByOrder, neighbours: found },
    switchOpen: isOpen,
    lastGasp: lastGaspAt !== undefined,
    waiting: heard < found.asked && !over,
    outage: outage !== undefined,
  };
  const { verdict, because } = judgeNoPower(facts);
  const settled = meter !== "asking" && (meter !== "answered" || lineVolts.length > 0) && !facts.waiting;
  return {
    verdict,
    because,
    final: over || settled,
    facts,
    switch: state?.position,
    lastGaspAt,
    outageId: outage?.outageId,
  };
}
