import type { AccessItem } from "../../shared/jobs/access.ts";
import { below } from "../../shared/ports/random.ts";
import { fitLease } from "../../shared/security/counters.ts";
import { Unavailable } from "./effects.ts";
import type { SimpleMeter, SimpleMeters } from "./simple-meters.ts";
import { simulatedAccess } from "./simulated-access.ts";
import type { World } from "./world-ports.ts";

const HOLD_MS = 90_000;
/** Clocks of bridges are apart by so much: so long before its end a hold counts no more, ms. */
const SKEW_MS = 10_000;

/**
 * Somebody who needs the meter alone for some seconds, as an order does: hold, lease, look, speak, release. While the
 * hold is his, nobody else's session may use counters as high as his.
 */
export async function holdMeter(world: World, meters: SimpleMeters, meter: SimpleMeter): Promise<void> {
  const process = world.process("order");
  const access = simulatedAccess(world, process);
  const { segment, slot, meterId } = meter;
  const { clock, name } = process;
  const { random, faults, counters, epoch } = world;
  try {
    const end = clock.now() + HOLD_MS;
    if (!(await access.takeHold({ segment, slot }, name, end, 0n, clock.now()))) return;
    faults.note("held", "all");
    const lease = await access.leaseCounters(segment, 64, epoch);
    const item: AccessItem | undefined = await access.read({ segment, slot });
    if (item?.hold?.owner !== name || fitLease(lease, item).kind !== "usable") return;
    const from = Number(lease.base + item.counterOffset);
    const until = end - SKEW_MS;
    counters.held(meterId, name, from, until);
    for (let frame = 0; frame < 4 && clock.now() < until; frame++) {
      meters.hears(meter, from + frame, process);
      await process.later(below(random, 8_000));
    }
    counters.released(meterId);
    if (clock.now() < end) await access.releaseHold({ segment, slot }, name, lease.base);
  } catch (error) {
    counters.released(meterId);
    if (!(error instanceof Unavailable)) throw error;
  }
}
