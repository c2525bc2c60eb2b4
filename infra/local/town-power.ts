import type { Socket } from "node:net";
import type { AnyMeter } from "../../shared/simulator/any-meter.ts";
import type { SupplyNews } from "../../shared/simulator/meter-supply.ts";
import type { MeterCall } from "./meter-call.ts";
import type { Addressing, Site } from "./town-addresses.ts";
import type { TownPushes } from "./town-pushes.ts";

/** The opening of a meter that listens at an address of its own, and how it is closed. */
export interface MeterOpening {
  readonly site: Site;
  close: () => Promise<void>;
}

interface TownPowerParts {
  readonly meters: ReadonlyMap<string, AnyMeter>;
  readonly openings: ReadonlyMap<string, MeterOpening>;
  readonly calls: ReadonlyMap<string, MeterCall>;
  readonly pushes: TownPushes | undefined;
  readonly sockets: ReadonlySet<Socket>;
  readonly addressing: Addressing;
}

/** Which meters are to have supply, and whether what they say of it leaves them. */
export interface PowerOrder extends SupplyNews {
  readonly meterIds: readonly string[];
  readonly on: boolean;
}

/**
 * The supply of a town's meters. One without supply says its last gasp and is then as good as gone: nothing accepts a
 * connection at its address, and one that it held ends. Modules that sleep have batteries.
 */
export class TownPower {
  readonly #parts: TownPowerParts;
  /** Openings and closings of one meter one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: TownPowerParts) {
    this.#parts = parts;
  }

  /** Answers how many meters that moved. */
  set(order: PowerOrder): Promise<number> {
    const moved = this.#last.then(() => this.#set(order));
    this.#last = moved.catch(() => undefined);
    return moved;
  }

  async #set({ meterIds, on, told }: PowerOrder): Promise<number> {
    const found = meterIds.flatMap((meterId) => this.#parts.meters.get(meterId) ?? []);
    const moved = found.filter(({ plan, supply }) => plan.way?.kind !== "sleepy" && supply.set(on, { told }));
    await Promise.all(moved.map((meter) => (on ? this.#back(meter) : this.#gone(meter))));
    return moved.length;
  }

  async #gone({ plan: { meterId, ...plan } }: AnyMeter): Promise<void> {
    const { openings, calls, pushes, sockets, addressing } = this.#parts;
    pushes?.look(meterId);
    calls.get(meterId)?.pause();
    const opening = openings.get(meterId);
    if (opening === undefined) return;
    const { host, port } = addressing.meter(plan);
    for (const socket of sockets) if (socket.localAddress === host && socket.localPort === port) socket.destroy();
    await opening.close();
    opening.close = async () => undefined;
  }

  async #back({ plan: { meterId } }: AnyMeter): Promise<void> {
    const { openings, calls, pushes, addressing } = this.#parts;
    const opening = openings.get(meterId);
    if (opening !== undefined) opening.close = await opening.site(addressing);
    calls.get(meterId)?.resume();
    pushes?.look(meterId);
  }

  async close(): Promise<void> {
    await this.#last;
    await Promise.all([...this.#parts.openings.values()].map(({ close }) => close()));
  }
}
