import type { C1222Profile } from "../metering/c1222-profile.ts";
import type { DeviceProfile, DlmsProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { Crypto } from "../ports/crypto.ts";
import { assert, HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import { seeded } from "../ports/random.ts";
import type { C1222FormOptions } from "./c1222-form.ts";
import { assignFaults, type FaultKind, type FaultShares, type Security } from "./faults.ts";
import type { Shortens } from "./profile-generic-object.ts";
import { parseShares, shuffled } from "./shares.ts";
import { type HeldKeys, type SimulatedKeys, simulatedKeys } from "./simulated-keys.ts";
import type { Zone } from "./zone.ts";

export type { SimulatedKeys } from "./simulated-keys.ts";

/** One meter of a town, before it runs. */
interface MeterPlan {
  /** 0, 1, 2, … */
  readonly index: number;
  readonly meterId: string;
  readonly serial: string;
  readonly enrolled: SimulatedKeys;
  /** What the meter really holds. */
  readonly held: HeldKeys;
  /** Absent: Central Europe. */
  readonly zone?: Zone;
  /** Meter clock minus true time, ms. */
  readonly clockOffsetMs: number;
  /** How fast its clock runs, parts in a million; absent: 0. */
  readonly clockPpm?: number;
  readonly fault: FaultKind | undefined;
  /** How it is reached; absent: by a connection of its own. */
  readonly way?: MeterWay;
}

/** By datagrams, by the cell relay of that number in whose branch it is, or asleep: by MQTT, when it wakes. */
export type MeterWay =
  | { readonly kind: "udp" }
  | { readonly kind: "relay"; readonly relay: number }
  | { readonly kind: "sleepy" };

export interface DlmsMeterPlan extends MeterPlan {
  readonly profile: DlmsProfile;
  /** 16 hex digits. */
  readonly systemTitle: string;
  /** The client's title that the meter expects; 16 hex digits. */
  readonly clientSystemTitle: string;
  /** Device profiles of the meters on its M-Bus. */
  readonly children?: readonly DlmsProfile[];
  /** How its load profiles shorten their entries; absent: they don't. */
  readonly shortens?: Shortens;
}

/** A C12.22 group that a simulated meter is a member of. */
export interface SimulatedGroup {
  readonly title: string;
  readonly keyId: number;
  /** AES-128, hex. */
  readonly key: string;
}

export interface C1222MeterPlan extends MeterPlan {
  readonly profile: C1222Profile;
  /** Relative to the C12.22 root. */
  readonly apTitle: string;
  readonly groups?: readonly SimulatedGroup[];
  /** Absent: little-endian, seconds since 1970, access by offset and index, rising order. */
  readonly form?: C1222FormOptions;
}

export type SimulatedMeterPlan = DlmsMeterPlan | C1222MeterPlan;

export const isDlms = (plan: SimulatedMeterPlan): plan is DlmsMeterPlan => plan.profile.protocol === "dlms";

export type Protocol = DeviceProfile["protocol"];
const PROTOCOLS: readonly Protocol[] = ["dlms", "c1222"];
export type ProtocolShares = Readonly<Record<Protocol, number>>;
export const HALF_AND_HALF: ProtocolShares = { dlms: 0.5, c1222: 0.5 };

/**
 * Reads `PROTOCOL=SHARE[,PROTOCOL=SHARE]`: the one that is not named has the rest. An empty text is half and half.
 * Throws `town.protocols`.
 */
export function parseProtocols(text: string): ProtocolShares {
  const { dlms, c1222 } = parseShares("protocol", PROTOCOLS, text);
  if (dlms === undefined && c1222 === undefined) return HALF_AND_HALF;
  const shares = { dlms: dlms ?? 1 - (c1222 ?? 0), c1222: c1222 ?? 1 - (dlms ?? 0) };
  if (Math.abs(shares.dlms + shares.c1222 - 1) > 1e-9)
    throw new HeadraceError("town.protocols", `expected shares that add up to 1, got ${text}`, { retry: "never" });
  return shares;
}

export interface PopulationOptions {
  readonly meters: number;
  readonly seed: number;
  readonly faults: FaultShares;
  /** Default: half and half. */
  readonly protocols?: ProtocolShares;
  /** Gas and water modules that sleep, besides the meters. */
  readonly sleepers?: number;
  /** 16 hex digits. */
  readonly clientSystemTitle: string;
}

/** Of every ten meters of a protocol most are the everyday one; the others show each way of securing a meter. */
const MIX: Readonly<
  Record<Protocol, { readonly everyday: string; readonly others: Readonly<Record<number, string>> }>
> = {
  dlms: {
    everyday: "generic-eu",
    others: { 3: "generic-eu-general", 5: "generic-eu-lls", 7: "generic-eu-public" },
  },
  c1222: { everyday: "generic-us", others: { 4: "generic-us-authenticated", 8: "generic-us-clear" } },
};

/** Ranks, of every ten DLMS meters, of those that shorten the entries of their load profiles. */
const SHORTENS: Readonly<Record<number, Shortens>> = { 1: "all", 3: "clock" };

/** Ranks, of every ten of a protocol, of the meters that are reached by datagrams, and by a cell relay. */
const BY_DATAGRAM: readonly number[] = [9];
const BY_RELAY: Readonly<Record<Protocol, readonly number[]>> = { dlms: [], c1222: [1, 6] };
/** Meters of one branch. */
const BRANCH_METERS = 40;
/** More meters make larger branches. */
export const RELAYS_MAX = 250;

interface Model {
  readonly profile: DeviceProfile;
  /** Among those of its protocol. */
  readonly rank: number;
}

/** A meter with a fault has a connection of its own: a relay or a lost datagram would hide what it does. */
function waysOf(models: readonly Model[], faults: ReadonlyMap<number, FaultKind>): readonly (MeterWay | undefined)[] {
  const isRelayed = ({ profile, rank }: Model, index: number): boolean =>
    !faults.has(index) && BY_RELAY[profile.protocol].includes(rank % 10);
  const relayed = models.flatMap((model, index) => (isRelayed(model, index) ? [index] : []));
  const branch = Math.max(BRANCH_METERS, Math.ceil(relayed.length / RELAYS_MAX));
  const relayOf = new Map(relayed.map((index, place) => [index, Math.floor(place / branch)]));
  return models.map(({ rank }, index) => {
    const relay = relayOf.get(index);
    if (relay !== undefined) return { kind: "relay", relay };
    return !faults.has(index) && BY_DATAGRAM.includes(rank % 10) ? { kind: "udp" } : undefined;
  });
}

/** Which model each meter is: protocols by seed alone, the models of each in turn. */
function modelsOf({ meters, seed, protocols = HALF_AND_HALF }: PopulationOptions): readonly Model[] {
  const c1222 = Math.ceil(protocols.c1222 * meters - 0.5);
  const chosen = new Set(shuffled(seeded(`protocols ${seed}`), meters).slice(0, c1222));
  const ranks = { dlms: 0, c1222: 0 };
  return Array.from({ length: meters }, (_, index) => {
    const protocol = chosen.has(index) ? "c1222" : "dlms";
    const { everyday, others } = MIX[protocol];
    const rank = ranks[protocol]++;
    const name = others[rank % 10] ?? everyday;
    const profile = PROFILES.get(name);
    assert(profile?.protocol === protocol, `the catalogue has ${name}`);
    return { profile, rank };
  });
}

function securityOf(profile: DeviceProfile): Security {
  if (profile.protocol === "c1222") return profile.c1222.access.security === "clear" ? "none" : "secret";
  const { authentication } = profile.dlms.access;
  return authentication === "none" ? "none" : authentication === "lls" ? "secret" : "mutual";
}
const CLOCK_OFFSET_MAX_MS = 4_000;
const text = new TextEncoder();

function secret(crypto: Crypto, seed: number, index: number, purpose: string): string {
  return toHex(
    crypto.hmacSha256(text.encode(`simulated town ${seed}`), text.encode(`${index} ${purpose}`)).subarray(0, 16),
  );
}

/** What is enrolled, and what the meter holds. */
function keysOf(crypto: Crypto, seed: number, index: number, profile: DeviceProfile, variant: string) {
  const of = (purpose: string): string => secret(crypto, seed, index, `${variant} ${purpose}`);
  if (profile.protocol === "dlms") return simulatedKeys(crypto, profile, of);
  const { security, userId, session } = profile.c1222.access;
  const keys: SimulatedKeys = {
    ...(security !== "clear" && { unicast: of("unicast") }),
    ...((userId !== undefined || session !== undefined) && { llsSecret: of("secret") }),
  };
  return { enrolled: keys, held: keys };
}

/** Flag id of the simulated manufacturer, then 2 octets of the seed and 3 of the index: unique in a town. */
function systemTitleOf(seed: number, index: number): string {
  return toHex(Uint8Array.of(0x48, 0x52, 0x53, seed >>> 8, seed, (index + 1) >>> 16, (index + 1) >>> 8, index + 1));
}

/** The title of a town's cell relay: after those of all meters. */
export const relayTitle = (seed: number, relay: number): string => `.23.${seed}.${1_000_001 + relay}`;

/** The C12.22 group that all members of a town hold the key of. */
export const townGroup = (crypto: Crypto, seed: number): SimulatedGroup => ({
  title: `.23.${seed}.0.1`,
  keyId: 9,
  key: secret(crypto, seed, 0, "group"),
});

const SLEEPERS = ["gas-module-us", "water-module-us"] as const;

/** Modules that sleep, after all meters. */
function sleepersOf(crypto: Crypto, { meters, seed, sleepers = 0 }: PopulationOptions): readonly C1222MeterPlan[] {
  return Array.from({ length: sleepers }, (_, rank) => {
    const index = meters + rank;
    const number = String(index + 1).padStart(6, "0");
    const profile = PROFILES.get(SLEEPERS[rank % SLEEPERS.length] ?? "");
    assert(profile?.protocol === "c1222", "the catalogue has modules that sleep");
    return {
      index,
      meterId: `SIM-${number}`,
      serial: `HRS26${number}`,
      ...keysOf(crypto, seed, index, profile, "enrolled"),
      clockOffsetMs: 0,
      fault: undefined,
      way: { kind: "sleepy" },
      profile,
      apTitle: `.23.${seed}.${index + 1}`,
    };
  });
}

/** Every meter of a town: pure, the same for the same options. Throws `town.faults` when the shares cannot be met. */
export function population(crypto: Crypto, options: PopulationOptions): readonly SimulatedMeterPlan[] {
  const { seed, clientSystemTitle } = options;
  const models = modelsOf(options);
  const faults = assignFaults(
    seed,
    models.map(({ profile }) => securityOf(profile)),
    options.faults,
  );
  const ways = waysOf(models, faults);
  const group = townGroup(crypto, seed);
  const drift = seeded(`drift ${seed}`);
  const all = models.map(({ profile }, index): SimulatedMeterPlan => {
    const number = String(index + 1).padStart(6, "0");
    const fault = faults.get(index);
    const way = ways[index];
    const { enrolled, held } = keysOf(crypto, seed, index, profile, "enrolled");
    const common = {
      index,
      meterId: `SIM-${number}`,
      serial: `HRS26${number}`,
      enrolled,
      held: fault === "wrong-key" ? keysOf(crypto, seed, index, profile, "other").held : held,
      clockOffsetMs: (drift.uint32() % (2 * CLOCK_OFFSET_MAX_MS + 1)) - CLOCK_OFFSET_MAX_MS,
      fault,
      ...(way && { way }),
    };
    if (profile.protocol === "c1222") {
      const { groups, access } = profile.c1222;
      const isMember = groups !== undefined && access.security !== "clear";
      return { ...common, profile, apTitle: `.23.${seed}.${index + 1}`, ...(isMember && { groups: [group] }) };
    }
    const shortens = SHORTENS[(models[index]?.rank ?? 0) % 10];
    const own = { profile, systemTitle: systemTitleOf(seed, index), clientSystemTitle };
    return { ...common, ...own, ...(shortens && { shortens }) };
  });
  return [...all, ...sleepersOf(crypto, options)];
}

/** A town in which every meter speaks DLMS. */
export const dlmsPopulation = (
  crypto: Crypto,
  options: Omit<PopulationOptions, "protocols">,
): readonly DlmsMeterPlan[] => population(crypto, { ...options, protocols: { dlms: 1, c1222: 0 } }).filter(isDlms);
