import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { MeterKeys } from "../../shared/metering/meter-keys.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, type Random, seeded } from "../../shared/ports/random.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { dlmsPopulation } from "../../shared/simulator/population.ts";
import { CLIENT_TITLE, type Meters } from "./bridges.ts";
import type { CounterInvariants } from "./counter-invariants.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface DlmsMeterPorts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly counters: CounterInvariants;
}

/** Simulated DLMS meters behind the real driver; `places`: their slots. */
export function dlmsMeters(
  seed: number,
  places: readonly { readonly segment: number; readonly slot: number; readonly meterId: string }[],
  ports: DlmsMeterPorts,
): Meters {
  const { time, random, faults, counters } = ports;
  const plans = dlmsPopulation(nodeCrypto, {
    meters: places.length,
    seed,
    faults: {},
    clientSystemTitle: CLIENT_TITLE,
  });
  const meterPorts = { crypto: nodeCrypto, random: seeded(`dlms ${seed}`), now: () => time.now };
  const meters = plans.map((plan) => new SimulatedMeter(plan, seed, meterPorts));
  const keysOf = new Map(plans.map(({ enrolled, index }) => [places[index]?.meterId, MeterKeys.parse(enrolled)]));

  /** A link over which the meter stalls or reboots now and then. */
  const troubled = (link: Link, process: SimulatedProcess): Link => ({
    ...link,
    send: async (octets) => {
      await process.later(1 + below(random, 60));
      if (faults.strikes("reboots")) {
        faults.note("reboots", "all");
        await link.close();
      }
      return link.send(octets);
    },
    receive: async (deadline) => {
      if (faults.strikes("silent")) {
        faults.note("silent", "all");
        await process.clock.sleep(Math.max(0, deadline - process.clock.now()));
        throw new LinkError("link.timeout", "the meter stalls");
      }
      return link.receive(deadline);
    },
  });
  return {
    items: plans.map(({ index, profile, systemTitle, enrolled }) => {
      const place = places[index];
      if (place === undefined) throw new Error("every meter has its place");
      return {
        ...place,
        meterId: MeterId.parse(place.meterId),
        profile: { name: profile.name, version: profile.version },
        systemTitle,
        routes: [{ kind: "dial", host: "127.0.0.1", port: 1 + index, transport: "tcp" }],
        counterOffset: 0n,
        releasedBase: 0n,
        lastOrder: 0,
        flags: { medical: false, priority: false, moratorium: false },
        ...(Object.keys(enrolled).length === 0 ? {} : { sealedKeys: { blob: new Uint8Array(1), version: 1 } }),
      };
    }),
    drivers: () => [dlmsDriver],
    dial:
      (process) =>
      async ({ port }) => {
        const meter = meters[port - 1];
        if (meter === undefined) throw new Error(`no meter listens on ${port}`);
        await process.later(1 + below(random, 80));
        if (faults.strikes("unreachable")) {
          faults.note("unreachable", "all");
          throw new LinkError("link.unreachable", "refused");
        }
        return troubled(await dialMeter(meter, process.clock), process);
      },
    keys: (meterId) => keysOf.get(meterId) ?? {},
    check: () => {
      for (const { plan, counters: witness } of meters) counters.repeated(plan.meterId, witness.state.repeated);
    },
  };
}
