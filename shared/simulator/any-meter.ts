import { C1222Meter } from "./c1222-meter.ts";
import type { CounterState, CounterWitness } from "./counter-witness.ts";
import type { DemandResets, ResetState } from "./demand-resets.ts";
import { type MeterConnection, type MeterPorts, type MeterTruth, SimulatedMeter } from "./meter.ts";
import type { MeterState } from "./meter-state.ts";
import type { MeterSupply } from "./meter-supply.ts";
import { isDlms, type SimulatedMeterPlan } from "./population.ts";

/** A simulated meter, whatever protocol it speaks. */
export interface AnyMeter {
  readonly plan: SimulatedMeterPlan;
  readonly counters: CounterWitness;
  readonly resets: DemandResets;
  readonly supply: MeterSupply;
  /** Its parts, as they are now. */
  readonly parts: { readonly state: Pick<MeterState, "relay"> };
  /** Connections that sent at least one octet. */
  readonly sessions: number;
  connect(): MeterConnection;
  /** One datagram in, those that it sends for it out, each at its own time. `peer`: whoever sent it. */
  datagram(octets: Uint8Array, peer: string): readonly { readonly octets: Uint8Array; readonly afterMs: number }[];
  /** Interval ends in (from, to]; clock milliseconds. */
  truth(from: number, to: number): MeterTruth;
}

/** What a meter kept of an earlier life, and who is told that it would have to be kept again. */
export interface MeterMemory {
  readonly counters: CounterState | undefined;
  readonly resets: ResetState | undefined;
  readonly changed: () => void;
}

/** The meter of a plan. */
export function simulatedMeter(
  plan: SimulatedMeterPlan,
  seed: number,
  ports: MeterPorts,
  memory?: MeterMemory,
): AnyMeter {
  return isDlms(plan)
    ? new SimulatedMeter(plan, seed, ports, memory?.counters, memory?.changed, memory?.resets)
    : new C1222Meter(plan, seed, ports, memory?.counters, memory?.changed, memory?.resets);
}
