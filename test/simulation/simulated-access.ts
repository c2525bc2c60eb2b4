import type { AccessStore } from "../../shared/jobs/access.ts";
import { effect } from "./effects.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { World } from "./world-ports.ts";

/** The access table through the eyes of one process, which keeps the table that it began with. */
export function simulatedAccess(world: World, process: SimulatedProcess): AccessStore {
  const table = world.access;
  const { counters } = world;
  const reads = { reads: true };
  return {
    ...table,
    read: (place) =>
      effect(world, process, `read access ${place.segment}/${place.slot}`, () => table.read(place), reads),
    readMany: (segment, slots) =>
      effect(world, process, `read access ${segment}/${slots.join(",")}`, () => table.readMany(segment, slots), reads),
    leaseCounters: (segment, size, epoch) =>
      effect(world, process, `lease ${size} counters of ${segment} in epoch ${epoch}`, async () => {
        const lease = await table.leaseCounters(segment, size, epoch);
        counters.leased(lease, process.name);
        return lease;
      }),
    raiseOffset: (place, meterId, offset, change) =>
      effect(
        world,
        process,
        `raise offset of ${meterId} to ${offset}`,
        async () => {
          const was = await table.read(place);
          const raised = await table.raiseOffset(place, meterId, offset, change);
          if (raised && was !== undefined) counters.raisedOffset(meterId, was.counterOffset, offset);
          return raised;
        },
        { lost: () => false },
      ),
    settleOffset: (place, meterId, offset, floor) =>
      effect(
        world,
        process,
        `settle offset ${offset} of ${meterId} at ${floor}`,
        () => table.settleOffset(place, meterId, offset, floor),
        { lost: () => false },
      ),
    takeHold: (place, owner, until, base, now) =>
      effect(world, process, `hold ${place.segment}/${place.slot}`, () =>
        table.takeHold(place, owner, until, base, now),
      ),
    claimCredit: (place, by, until, now) =>
      effect(world, process, `claim credit ${place.segment}/${place.slot}`, () =>
        table.claimCredit(place, by, until, now),
      ),
    releaseCredit: (place, by) =>
      effect(world, process, `release credit ${place.segment}/${place.slot}`, () => table.releaseCredit(place, by)),
    releaseHold: (place, owner, base) =>
      effect(world, process, `release ${place.segment}/${place.slot}`, () => table.releaseHold(place, owner, base)),
  };
}
