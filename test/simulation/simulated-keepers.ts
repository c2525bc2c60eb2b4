import type { Alarms } from "../../shared/events/alarm.ts";
import { eventKeeper } from "../../shared/events/keep-events.ts";
import type { Timeline } from "../../shared/events/timeline.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { FleetColumnStore } from "../../shared/readings/fleet-columns.ts";
import type { Keeper } from "../../shared/readings/ingest-batch.ts";
import { fleetColumnKeeper } from "../../shared/readings/keep-fleet-columns.ts";
import type { MissingRecords } from "../../shared/readings/missing-records.ts";
import { notHeldKeeper } from "../../shared/readings/not-held.ts";
import { effect } from "./effects.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { World } from "./world-ports.ts";

/** Where the keepers of ingest keep. */
export interface KeptStores {
  readonly records: MissingRecords;
  readonly timeline: Timeline;
  readonly alarms: Alarms;
  readonly columns: FleetColumnStore;
}

/** The keepers of ingest as one process has them. */
export const simulatedKeepers =
  (world: World, { records, timeline, alarms, columns }: KeptStores) =>
  (process: SimulatedProcess): readonly Keeper[] => [
    notHeldKeeper({
      read: (segment, day) => effect(world, process, "read record", () => records.read(segment, day), { reads: true }),
      write: (record, was) =>
        effect(world, process, `write record of ${record.segment}`, () => records.write(record, was), {
          lost: () => "conflict",
        }),
    }),
    fleetColumnKeeper({
      columns: {
        ...columns,
        read: (segment) => effect(world, process, "read columns", () => columns.read(segment), { reads: true }),
        write: (segment, next, was) =>
          effect(world, process, `write columns of ${segment}`, () => columns.write(segment, next, was), {
            lost: () => "conflict",
          }),
      },
      clock: process.clock,
      random: world.random,
    }),
    eventKeeper({
      timeline: { add: (items) => effect(world, process, "add to timelines", () => timeline.add(items)) },
      alarms: { raise: (raised) => effect(world, process, "raise alarms", () => alarms.raise(raised)) },
      crypto: nodeCrypto,
    }),
  ];
