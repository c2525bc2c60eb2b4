import { c1222Driver } from "../../shared/c1222/driver.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { Driver, MeterSession, SessionContext } from "../../shared/metering/driver.ts";
import type { Measurement } from "../../shared/metering/measurement.ts";
import type { MeterKeys } from "../../shared/metering/meter-keys.ts";
import type { DeviceProfile } from "../../shared/metering/profile.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { type DialledMeter, dialMeter } from "../../shared/simulator/meter-link.ts";
import type { MeterState } from "../../shared/simulator/meter-state.ts";
import { dlmsPopulation } from "../../shared/simulator/population.ts";

const SEED = 3;
const CLIENT = "4844520000000001";
const AP_TITLE = ".23.1";

/** A clock that stands still but for those who sleep on it. */
export function standingClock(at: number): Clock {
  let now = at;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
}

/** What a conversation is tried with. */
export interface Trial {
  readonly clock: Clock;
  readonly fault?: FaultKind;
  /** Key that the headend has enrolled, where it is another than the meter's; hex. */
  readonly enrolledKey?: string;
  /** Key that the C12.22 meter holds, where it is another than its plan's; hex. */
  readonly heldKey?: string;
  readonly profile?: DeviceProfile;
  /** Meter clock minus true time, ms, where it is another than the plan's. */
  readonly clockOffsetMs?: number;
  /** How fast the meter's clock runs, parts in a million. */
  readonly clockPpm?: number;
  /** The session is about the clock. */
  readonly recoversClock?: boolean;
  /** Told of the meter itself. */
  readonly onMeter?: (meter: { truth: SimulatedMeter["truth"]; parts: { state: MeterState } }) => void;
  readonly onFrame?: SessionContext["onFrame"];
  readonly asksIdentity?: boolean;
}

/** One side: a driver and a simulated meter of the same household behind it. */
export interface Side {
  readonly protocol: DeviceProfile["protocol"];
  readonly profile: DeviceProfile;
  readonly driver: Driver;
  /** System title or ApTitle of its meter. */
  readonly title: string;
  /** As they are enrolled. */
  readonly keys: MeterKeys;
  meter(trial: Trial): DialledMeter;
  open(trial: Trial): Promise<MeterSession>;
}

/** The first meter of the town, whatever protocol it speaks: the same load, the same clock. */
const [plan] = dlmsPopulation(nodeCrypto, { meters: 1, seed: SEED, faults: {}, clientSystemTitle: CLIENT });
if (plan === undefined) throw new Error("a town of one has one meter");

async function opened({ driver, meter, title, keys, profile }: Omit<Side, "open">, trial: Trial) {
  let counter = 1;
  const { enrolledKey } = trial;
  return driver.open({
    link: await dialMeter(meter(trial), trial.clock),
    clock: trial.clock,
    random: seeded("client"),
    crypto: nodeCrypto,
    profile: trial.profile ?? profile,
    systemTitle: title,
    clientSystemTitle: CLIENT,
    keys: { ...keys, ...(enrolledKey !== undefined && { unicast: enrolledKey }) },
    counters: { next: () => counter++ },
    pushesTo: { host: "192.0.2.1", port: 4059 },
    responseTimeoutMs: 5_000,
    recoversClock: trial.recoversClock ?? false,
    ...(trial.onFrame && { onFrame: trial.onFrame }),
    ...(trial.asksIdentity && { asksIdentity: true }),
  });
}

const offsetOf = ({ clockOffsetMs, clockPpm }: Trial) => ({
  ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
  ...(clockPpm === undefined ? {} : { clockPpm }),
});
const ports = (clock: Clock) => ({ crypto: nodeCrypto, random: seeded("meter"), now: () => clock.now() });

const sideOf = (side: Omit<Side, "open">): Side => ({ ...side, open: (trial) => opened(side, trial) });

export const DLMS: Side = sideOf({
  protocol: "dlms",
  profile: plan.profile,
  driver: dlmsDriver,
  title: plan.systemTitle,
  keys: plan.enrolled,
  meter: (trial) => {
    const own = { ...plan, fault: trial.fault, ...offsetOf(trial) };
    const meter = new SimulatedMeter(own, SEED, ports(trial.clock));
    trial.onMeter?.(meter);
    return meter;
  },
});

const GENERIC_US = PROFILES.get("generic-us");
if (GENERIC_US?.protocol !== "c1222") throw new Error("the catalogue has generic-us");
const profile = GENERIC_US;

export const C1222: Side = sideOf({
  protocol: "c1222",
  profile,
  driver: c1222Driver,
  title: AP_TITLE,
  keys: plan.enrolled,
  meter: (trial) => {
    const held = trial.heldKey === undefined ? plan.held : { unicast: trial.heldKey };
    const own = { ...plan, held, fault: trial.fault, profile, apTitle: AP_TITLE, ...offsetOf(trial) };
    const meter = new C1222Meter(own, SEED, ports(trial.clock));
    trial.onMeter?.(meter);
    return meter;
  },
});

/** What the model of a side measures. */
export const measurementsOf = ({ profile }: Side): readonly Measurement[] =>
  (profile.protocol === "dlms" ? profile.dlms.registers : profile.c1222.registers).map(
    ({ measurement }) => measurement,
  );

/** The same model with its total registers alone. */
export function withoutEquipment(profile: DeviceProfile): DeviceProfile {
  if (profile.protocol === "dlms") {
    const { access, clock, registers } = profile.dlms;
    return { ...profile, dlms: { access, clock, registers: registers.filter(({ total }) => total), loadProfiles: [] } };
  }
  const { access, clock, registers, singleSourceTables, layouts } = profile.c1222;
  const c1222 = { access, clock, registers: registers.filter(({ total }) => total), singleSourceTables, layouts };
  return { ...profile, c1222: { ...c1222, loadProfiles: [] } };
}
