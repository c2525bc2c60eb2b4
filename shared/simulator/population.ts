import type { DlmsProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { Crypto } from "../ports/crypto.ts";
import { assert } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import { seeded } from "../ports/random.ts";
import { assignFaults, type FaultKind, type FaultShares, type Security } from "./faults.ts";
import { type HeldKeys, type SimulatedKeys, simulatedKeys } from "./simulated-keys.ts";
import type { Zone } from "./zone.ts";

export type { SimulatedKeys } from "./simulated-keys.ts";

/** One meter of a town, before it runs. */
export interface SimulatedMeterPlan {
  /** 0, 1, 2, … */
  readonly index: number;
  readonly meterId: string;
  readonly serial: string;
  readonly profile: DlmsProfile;
  /** 16 hex digits. */
  readonly systemTitle: string;
  /** The client's title that the meter expects; 16 hex digits. */
  readonly clientSystemTitle: string;
  readonly enrolled: SimulatedKeys;
  /** What the meter really holds. */
  readonly held: HeldKeys;
  /** Absent: Central Europe. */
  readonly zone?: Zone;
  /** Device profiles of the meters on its M-Bus. */
  readonly children?: readonly DlmsProfile[];
  /** Meter clock minus true time, ms. */
  readonly clockOffsetMs: number;
  readonly fault: FaultKind | undefined;
}

export interface PopulationOptions {
  readonly meters: number;
  readonly seed: number;
  readonly faults: FaultShares;
  /** 16 hex digits. */
  readonly clientSystemTitle: string;
}

/** Of every ten meters seven are the everyday one; the others show each way of securing a meter. */
const MIX: Readonly<Record<number, string>> = { 3: "generic-eu-general", 5: "generic-eu-lls", 7: "generic-eu-public" };
const profileNameOf = (index: number): string => MIX[index % 10] ?? "generic-eu";

const securityOf = (authentication: DlmsProfile["dlms"]["access"]["authentication"]): Security =>
  authentication === "none" ? "none" : authentication === "lls" ? "secret" : "mutual";
const CLOCK_OFFSET_MAX_MS = 4_000;
const text = new TextEncoder();

function secret(crypto: Crypto, seed: number, index: number, purpose: string): string {
  return toHex(
    crypto.hmacSha256(text.encode(`simulated town ${seed}`), text.encode(`${index} ${purpose}`)).subarray(0, 16),
  );
}

const keysOf = (crypto: Crypto, seed: number, index: number, profile: DlmsProfile, variant: string) =>
  simulatedKeys(crypto, profile, (purpose) => secret(crypto, seed, index, `${variant} ${purpose}`));

/** Flag id of the simulated manufacturer, then 2 octets of the seed and 3 of the index: unique in a town. */
function systemTitleOf(seed: number, index: number): string {
  return toHex(Uint8Array.of(0x48, 0x52, 0x53, seed >>> 8, seed, (index + 1) >>> 16, (index + 1) >>> 8, index + 1));
}

/** Every meter of a town: pure, the same for the same options. Throws `town.faults` when the shares cannot be met. */
export function population(crypto: Crypto, options: PopulationOptions): readonly SimulatedMeterPlan[] {
  const { meters, seed } = options;
  const profiles = Array.from({ length: meters }, (_, index) => {
    const profile = PROFILES.get(profileNameOf(index));
    assert(profile?.protocol === "dlms", `the catalogue has ${profileNameOf(index)}`);
    return profile;
  });
  const securities = profiles.map((profile) => securityOf(profile.dlms.access.authentication));
  const faults = assignFaults(seed, securities, options.faults);
  const drift = seeded(`drift ${seed}`);
  return profiles.map((profile, index) => {
    const number = String(index + 1).padStart(6, "0");
    const fault = faults.get(index);
    const { enrolled, held } = keysOf(crypto, seed, index, profile, "enrolled");
    return {
      index,
      meterId: `SIM-${number}`,
      serial: `HRS26${number}`,
      profile,
      systemTitle: systemTitleOf(seed, index),
      clientSystemTitle: options.clientSystemTitle,
      enrolled,
      held: fault === "wrong-key" ? keysOf(crypto, seed, index, profile, "other").held : held,
      clockOffsetMs: (drift.uint32() % (2 * CLOCK_OFFSET_MAX_MS + 1)) - CLOCK_OFFSET_MAX_MS,
      fault,
    };
  });
}
