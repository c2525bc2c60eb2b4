import type { Meter, MeterId, Place } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";

/** A meter as it is asked to be enrolled; `keys` in clear, for as long as the call lasts. */
export interface EnrolmentRequest extends Meter {
  readonly keys?: MeterKeys | undefined;
  /** It takes the place of a meter that is taken away. */
  readonly installed?: Installation;
  /** Names the one request that this is: repeated after an interruption it finds its own meter. */
  readonly source?: string;
}

/** Whose place a meter took, and when (clock ms of meters). */
export interface Installation {
  readonly at: number;
  readonly replaces: MeterId;
}
/** When it was taken away, and which meter took its place; absent: none did. */
export interface Retirement {
  readonly at: number;
  readonly replacedBy?: MeterId | undefined;
}

/** A meter as the registry holds it. How it is reached and secured lies in its access item. */
export interface RegisteredMeter {
  readonly meter: Meter;
  readonly profileVersion: number;
  readonly state: "enrolling" | "enrolled" | "retired";
  /** While it enrols: the slot that it tries to get; it counts only when the access item there is this meter's. */
  readonly place: Place;
  /** Whether its access item holds sealed keys. */
  readonly secured: boolean;
  /** Clock ms. */
  readonly enrolledAt: number;
  /** Of the request that enrolled it. */
  readonly source?: string | undefined;
  readonly installed?: Installation | undefined;
  readonly retired?: Retirement | undefined;
  /** Rises with every write. */
  readonly version: number;
}

/** What was expected of which field, and what came where that may be shown. */
export interface FieldProblem {
  readonly field: string;
  readonly expected: string;
  readonly received?: string;
}

export type EnrolmentOutcome =
  | {
      readonly kind: "enrolled" | "unchanged";
      readonly meterId: MeterId;
      readonly place: Place;
      /** Of the request that enrolled it, in former times where it is unchanged. */
      readonly source?: string | undefined;
    }
  | ({ readonly kind: "refused"; readonly because: "conflict" | "unsuitable" } & FieldProblem);
