import type { FaultShares } from "../../shared/simulator/faults.ts";
import type { MeterTruth } from "../../shared/simulator/meter.ts";
import type { ProtocolShares } from "../../shared/simulator/population.ts";
import type { Callers } from "./meter-call.ts";
import type { Sleepers } from "./meter-sleeper.ts";
import type { TownWitness } from "./town.ts";
import type { TownGroup } from "./town-group.ts";
import type { TownMeter } from "./town-listing.ts";
import type { PowerOrder } from "./town-power.ts";
import type { PushGates } from "./town-pushes.ts";

/** What a town in a process of its own is started with. */
export interface TownStart {
  readonly meters: number;
  readonly seed: number;
  readonly faults: FaultShares;
  readonly protocols?: ProtocolShares;
  readonly clientSystemTitle: string;
  readonly callers?: Callers;
  readonly sleepers?: Sleepers;
  readonly pushes?: PushGates;
  readonly port?: number;
  /** Folder in which the meters' counters are kept. */
  readonly data?: string;
}

/** Parent to child. Each question but `stop` is answered under its number. */
export type TownQuestion =
  | { readonly ask: "start"; readonly number: number; readonly start: TownStart }
  | {
      readonly ask: "truth";
      readonly number: number;
      readonly meterIds: readonly string[];
      readonly from: number;
      readonly to: number;
    }
  | { readonly ask: "witness"; readonly number: number }
  | { readonly ask: "wake"; readonly number: number }
  | { readonly ask: "power"; readonly number: number; readonly order: PowerOrder }
  | { readonly ask: "stop"; readonly number: number };

export type TownAnswer =
  | {
      readonly answer: "started";
      readonly number: number;
      readonly meters: readonly TownMeter[];
      readonly group: TownGroup | undefined;
    }
  | { readonly answer: "truth"; readonly number: number; readonly truths: readonly MeterTruth[] }
  | { readonly answer: "witness"; readonly number: number; readonly witness: TownWitness }
  | { readonly answer: "woken"; readonly number: number; readonly modules: number }
  | { readonly answer: "powered"; readonly number: number; readonly meters: number }
  | { readonly answer: "stopped"; readonly number: number }
  | { readonly answer: "failed"; readonly number: number; readonly code: string; readonly message: string };
