import type { DlmsProfile } from "../metering/profile.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { FaultKind } from "./faults.ts";
import type { DlmsMeterPlan } from "./population.ts";
import type { Shortens } from "./profile-generic-object.ts";
import { simulatedKeys } from "./simulated-keys.ts";
import { CENTRAL_EUROPE, type Zone } from "./zone.ts";

const INDIA: Zone = { standardMinutes: 330, summerTime: false };
/** Where meters of a profile stand, by the beginning of its name; the others stand in Central Europe. */
const ZONES: readonly (readonly [string, Zone])[] = [["is15959", INDIA]];

export const zoneOf = ({ name }: DlmsProfile): Zone =>
  ZONES.find(([start]) => name.startsWith(start))?.[1] ?? CENTRAL_EUROPE;

export interface MeterPlanOptions {
  readonly seed: number;
  readonly index: number;
  /** 16 hex digits. */
  readonly clientSystemTitle: string;
  readonly clockOffsetMs?: number;
  readonly fault?: FaultKind;
  /** Device profiles of the meters on its M-Bus. */
  readonly children?: readonly DlmsProfile[];
  readonly shortens?: Shortens | undefined;
}

/** A simulated meter of any DLMS profile, before it runs: its keys and title by seed and index alone. */
export function meterPlan(crypto: Crypto, profile: DlmsProfile, options: MeterPlanOptions): DlmsMeterPlan {
  const { seed, index, fault, children, shortens } = options;
  const text = new TextEncoder();
  const number = String(index + 1).padStart(6, "0");
  const { enrolled, held } = simulatedKeys(crypto, profile, (purpose) =>
    toHex(
      crypto.hmacSha256(text.encode(`simulated meter ${seed}`), text.encode(`${index} ${purpose}`)).subarray(0, 16),
    ),
  );
  return {
    index,
    meterId: `SIM-${number}`,
    serial: `HRS26${number}`,
    profile,
    systemTitle: toHex(
      Uint8Array.of(0x48, 0x52, 0x53, seed >>> 8, seed, (index + 1) >>> 16, (index + 1) >>> 8, index + 1),
    ),
    clientSystemTitle: options.clientSystemTitle,
    enrolled,
    held,
    zone: zoneOf(profile),
    ...(children && { children }),
    ...(shortens && { shortens }),
    clockOffsetMs: options.clockOffsetMs ?? 0,
    fault,
  };
}
