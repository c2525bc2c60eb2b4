import { c1222Driver } from "../../../shared/c1222/driver.ts";
import { dlmsDriver } from "../../../shared/dlms/driver.ts";
import type { Driver } from "../../../shared/metering/driver.ts";
import { MeterKeys } from "../../../shared/metering/meter-keys.ts";
import type { DeviceProfile } from "../../../shared/metering/profile.ts";
import type { MeterEvent } from "../../../shared/metering/result.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Link } from "../../../shared/ports/link.ts";
import { C1222Meter } from "../../../shared/simulator/c1222-meter.ts";
import { dialMeter } from "../../../shared/simulator/meter-link.ts";
import type { TrueIntervalSet } from "../../../shared/simulator/truth-log.ts";
import { CLIENT_TITLE } from "../bridges.ts";
import type { CounterInvariants } from "../counter-invariants.ts";
import type { FieldMeter, GivenRegister } from "./field-meter.ts";
import { capturedBy, type Device, simulatedDevice, titleOf } from "./simulated-device.ts";

export interface ProtocolOptions
  extends Pick<FieldMeter, "meterId" | "place" | "port" | "collector" | "from" | "plan"> {
  readonly profile: DeviceProfile;
  readonly seed: number;
  readonly index: number;
  readonly clockOffsetMs: number;
  readonly now: () => number;
  readonly thing?: string;
}

/** A register is stamped by the meter's clock or by the headend's: so far apart at most, beside the meter's own offset. */
const STAMP_TOLERANCE_MS = 30_000;

const DEPTH_MS = 9 * 86_400_000;

/** A simulated meter of the product, spoken to by the product's driver over its protocol. */
export class ProtocolMeter implements FieldMeter {
  readonly meterId: FieldMeter["meterId"];
  readonly place: FieldMeter["place"];
  readonly port: number;
  readonly profile: DeviceProfile;
  readonly title: string;
  readonly keys: MeterKeys;
  readonly collector: string | undefined;
  readonly from: number;
  until = Number.POSITIVE_INFINITY;
  plan: FieldMeter["plan"];
  isKnown = false;
  enrolled = false;
  readonly thing: string | undefined;
  readonly heardAt: number[] = [];
  readonly open: Driver["open"];
  readonly #meter: Device;
  readonly #given: GivenRegister[] = [];
  readonly #offsetMs: number;
  readonly #now: () => number;

  constructor(options: ProtocolOptions) {
    ({
      meterId: this.meterId,
      place: this.place,
      port: this.port,
      profile: this.profile,
      collector: this.collector,
      from: this.from,
      plan: this.plan,
    } = options);
    this.#meter = simulatedDevice({ ...options, clientSystemTitle: CLIENT_TITLE });
    this.#offsetMs = Math.abs(options.clockOffsetMs);
    this.thing = options.thing;
    this.#now = options.now;
    const { plan } = this.#meter;
    this.title = titleOf(this.#meter);
    this.keys = MeterKeys.parse(plan.enrolled);
    const driver = this.profile.protocol === "dlms" ? dlmsDriver : c1222Driver;
    this.open = async (context) => {
      const session = await driver.open(context);
      return {
        ...session,
        perform: async (operation) => {
          const result = await session.perform(operation);
          this.heard();
          return result;
        },
        release: () => session.release(),
      };
    };
  }

  clockOffMs(): number {
    return this.#meter.parts.state.now() - this.#now();
  }

  /** It has just answered, or said something: its log is short, and what it gave is kept here. */
  heard(): void {
    this.heardAt.push(this.#now());
    for (const { measurement, value, scaler, capturedAt, servedAt } of this.#meter.truth(0, 1).registers)
      for (const at of new Set([capturedAt, servedAt])) this.#given.push({ measurement, value, scaler, at });
  }

  /** The device itself, where it is one that wakes and speaks. */
  get sleeper(): C1222Meter | undefined {
    return this.thing !== undefined && this.#meter instanceof C1222Meter ? this.#meter : undefined;
  }

  dial(clock: Clock): Promise<Link> {
    return dialMeter(this.#meter, clock);
  }

  captured(from: number, to: number): readonly TrueIntervalSet[] {
    return capturedBy(this.#meter, from, to);
  }

  keepsMs(): number {
    return DEPTH_MS; // of every model of the week, at least
  }

  given({ measurement, value, scaler, at }: GivenRegister): boolean {
    return this.#given.some(
      (one) =>
        one.measurement === measurement &&
        one.value === value &&
        one.scaler === scaler &&
        Math.abs(one.at - at) <= STAMP_TOLERANCE_MS + this.#offsetMs,
    );
  }

  events(from: number, to: number): readonly MeterEvent[] {
    return this.#meter.truth(from, to).events ?? [];
  }

  /** What the meter itself witnessed: no counter came twice. */
  check(counters: CounterInvariants): void {
    counters.repeated(this.meterId, this.#meter.counters.state.repeated);
  }
}
