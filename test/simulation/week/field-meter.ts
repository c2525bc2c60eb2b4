import type { ChannelPlan } from "../../../shared/metering/channel-plan.ts";
import type { Driver } from "../../../shared/metering/driver.ts";
import type { Measurement } from "../../../shared/metering/measurement.ts";
import type { MeterId, Place } from "../../../shared/metering/meter.ts";
import type { MeterKeys } from "../../../shared/metering/meter-keys.ts";
import type { DeviceProfile } from "../../../shared/metering/profile.ts";
import type { MeterEvent } from "../../../shared/metering/result.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Link } from "../../../shared/ports/link.ts";
import type { TrueIntervalSet } from "../../../shared/simulator/truth-log.ts";

/** A register as a meter gave it: instant of capture by its own clock. */
export interface GivenRegister {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
  readonly at: number;
}

/** One meter of the week, whatever is behind it: simulated protocol or a neutral one. Instants are clock ms. */
export interface FieldMeter {
  readonly meterId: MeterId;
  readonly place: Place;
  readonly port: number;
  readonly profile: DeviceProfile;
  readonly title: string;
  readonly keys: MeterKeys;
  /** Where it is reached through one. */
  readonly collector: string | undefined;
  /** Its name at the MQTT broker where it sleeps. */
  readonly thing?: string | undefined;
  /** When it answered under its own keys, or was heard, true time. */
  readonly heardAt: number[];
  /** It hangs at its place from then on, until then. */
  readonly from: number;
  until: number;
  /** What the headend expects of it, as enrolled; ended when it is known to be gone. */
  plan: ChannelPlan;
  /** The headend knows it; `enrolled`: and it is not retired. */
  isKnown: boolean;
  enrolled: boolean;
  /** Meter clock minus true time, ms; absent: it has no clock apart. */
  clockOffMs?(): number;
  dial(clock: Clock): Promise<Link>;
  readonly open: Driver["open"];
  /** All that it captured of (from, to] until this moment of true time, its memory's depth aside; before any encoding. */
  captured(from: number, to: number): readonly TrueIntervalSet[];
  /** How long an interval of a set stays in its memory, ms. */
  keepsMs(set: string): number;
  /** Every register value that it ever gave. */
  given(register: GivenRegister): boolean;
  /** Entries of its event logs of (from, to]. */
  events(from: number, to: number): readonly MeterEvent[];
}
