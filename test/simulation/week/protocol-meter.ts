import { c1222Driver } from "../../../shared/c1222/driver.ts";
import { dlmsDriver } from "../../../shared/dlms/driver.ts";
import type { Driver } from "../../../shared/metering/driver.ts";
import { MeterKeys } from "../../../shared/metering/meter-keys.ts";
import type { DeviceProfile, DlmsProfile } from "../../../shared/metering/profile.ts";
import { PROFILES } from "../../../shared/metering/profiles/catalogue.ts";
import type { MeterEvent } from "../../../shared/metering/result.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Link } from "../../../shared/ports/link.ts";
import { nodeCrypto } from "../../../shared/ports/node-crypto.ts";
import { seeded } from "../../../shared/ports/random.ts";
import { C1222Meter } from "../../../shared/simulator/c1222-meter.ts";
import { SimulatedMeter } from "../../../shared/simulator/meter.ts";
import { dialMeter } from "../../../shared/simulator/meter-link.ts";
import { meterPlan } from "../../../shared/simulator/meter-plan.ts";
import type { TrueIntervalSet } from "../../../shared/simulator/truth-log.ts";
import { CLIENT_TITLE } from "../bridges.ts";
import type { CounterInvariants } from "../counter-invariants.ts";
import type { FieldMeter, GivenRegister } from "./field-meter.ts";

export interface ProtocolOptions
  extends Pick<FieldMeter, "meterId" | "place" | "port" | "collector" | "from" | "plan"> {
  readonly profile: DeviceProfile;
  readonly seed: number;
  readonly index: number;
  readonly clockOffsetMs: number;
  readonly now: () => number;
}

/** A register is stamped by the meter's clock or by the headend's: so far apart at most, beside the meter's own offset. */
const STAMP_TOLERANCE_MS = 30_000;

const DEPTH_MS = 9 * 86_400_000;

const dlmsProfile = (name: string): DlmsProfile => {
  const found = PROFILES.get(name);
  if (found?.protocol !== "dlms") throw new Error(`the catalogue has ${name}`);
  return found;
};

/** The simulated meter of a profile; one that is read with its M-Bus has a gas and a water meter on it. */
function simulated({ profile, seed, index, clockOffsetMs, now }: ProtocolOptions): SimulatedMeter | C1222Meter {
  const ports = { crypto: nodeCrypto, random: seeded(`meter ${seed} ${index}`), now };
  const common = { seed, index, clientSystemTitle: CLIENT_TITLE, clockOffsetMs };
  if (profile.protocol === "c1222") {
    const {
      systemTitle: _systemTitle,
      clientSystemTitle: _clientSystemTitle,
      ...plan
    } = meterPlan(nodeCrypto, dlmsProfile("generic-eu"), common);
    const { unicast = "" } = plan.enrolled;
    const secrets = { unicast, llsSecret: "5a".repeat(8) };
    const keys = { enrolled: secrets, held: secrets };
    return new C1222Meter({ ...plan, ...keys, profile, apTitle: `.23.${seed}.${index + 1}` }, seed, ports);
  }
  const parent = profile.name.replace(/-mbus$/, "");
  const children = parent === profile.name ? [] : [`${parent}-gas-1`, `${parent}-water-2`].map(dlmsProfile);
  return new SimulatedMeter(meterPlan(nodeCrypto, dlmsProfile(parent), { ...common, children }), seed, ports);
}

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
  readonly open: Driver["open"];
  readonly #meter: SimulatedMeter | C1222Meter;
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
    this.#meter = simulated(options);
    this.#now = options.now;
    this.#offsetMs = Math.abs(options.clockOffsetMs);
    const { plan } = this.#meter;
    this.title = "apTitle" in plan ? plan.apTitle : plan.systemTitle;
    this.keys = MeterKeys.parse(plan.enrolled);
    const driver = this.profile.protocol === "dlms" ? dlmsDriver : c1222Driver;
    this.open = async (context) => {
      const session = await driver.open(context);
      return {
        ...session,
        perform: async (operation) => {
          const result = await session.perform(operation);
          // The meter's log is short: what it gave is kept here.
          for (const { measurement, value, scaler, capturedAt, servedAt } of this.#meter.truth(0, 1).registers)
            for (const at of new Set([capturedAt, servedAt])) this.#given.push({ measurement, value, scaler, at });
          return result;
        },
        release: () => session.release(),
      };
    };
  }

  clockOffMs(): number {
    return this.#meter.parts.state.now() - this.#now();
  }

  dial(clock: Clock): Promise<Link> {
    return dialMeter(this.#meter, clock);
  }

  captured(from: number, to: number): readonly TrueIntervalSet[] {
    return (this.#meter.truth(from, to).sets ?? []).map((set) => {
      const [first] = set.channels;
      const medium = /^volume\.(gas|water)$/.exec(first?.measurement ?? "")?.[1];
      return medium === undefined || set.channelSet !== "hourly" ? set : { ...set, channelSet: medium };
    });
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
