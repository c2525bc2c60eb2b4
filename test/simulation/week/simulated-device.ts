import type { DeviceProfile, DlmsProfile } from "../../../shared/metering/profile.ts";
import { PROFILES } from "../../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../../shared/ports/node-crypto.ts";
import { seeded } from "../../../shared/ports/random.ts";
import type { AnyMeter } from "../../../shared/simulator/any-meter.ts";
import { C1222Meter } from "../../../shared/simulator/c1222-meter.ts";
import { SimulatedMeter } from "../../../shared/simulator/meter.ts";
import { meterPlan } from "../../../shared/simulator/meter-plan.ts";
import type { TrueIntervalSet } from "../../../shared/simulator/truth-log.ts";

export type Device = SimulatedMeter | C1222Meter;

export interface DeviceOptions {
  readonly profile: DeviceProfile;
  readonly seed: number;
  readonly index: number;
  /** 16 hex digits. */
  readonly clientSystemTitle: string;
  readonly clockOffsetMs: number;
  readonly now: () => number;
}

const dlmsProfile = (name: string): DlmsProfile => {
  const found = PROFILES.get(name);
  if (found?.protocol !== "dlms") throw new Error(`the catalogue has ${name}`);
  return found;
};

/** The simulated meter of a profile; one that is read with its M-Bus has a gas and a water meter on it. */
export function simulatedDevice(options: DeviceOptions): Device {
  const { profile, seed, index, clientSystemTitle, clockOffsetMs, now } = options;
  const ports = { crypto: nodeCrypto, random: seeded(`meter ${seed} ${index}`), now };
  const common = { seed, index, clientSystemTitle, clockOffsetMs };
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

/** The title under which it is enrolled. */
export const titleOf = ({ plan }: AnyMeter): string => ("apTitle" in plan ? plan.apTitle : plan.systemTitle);

/** All that it captured of (from, to] until now, by channel set as its device profile names it. */
export const capturedBy = (device: AnyMeter, from: number, to: number): readonly TrueIntervalSet[] =>
  (device.truth(from, to).sets ?? []).map((set) => {
    const medium = /^volume\.(gas|water)$/.exec(set.channels[0]?.measurement ?? "")?.[1];
    return medium === undefined || set.channelSet !== "hourly" ? set : { ...set, channelSet: medium };
  });
