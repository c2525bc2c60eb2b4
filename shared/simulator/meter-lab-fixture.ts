import { openSession } from "../dlms/client/open-session.ts";
import type { DlmsSession } from "../dlms/client/session.ts";
import { dlmsDriver } from "../dlms/driver.ts";
import type { MeterSession, SessionContext } from "../metering/driver.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { DlmsProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/link.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import type { FaultKind } from "./faults.ts";
import { SimulatedMeter } from "./meter.ts";
import { dialMeter } from "./meter-link.ts";
import { meterPlan } from "./meter-plan.ts";
import type { Shortens } from "./profile-generic-object.ts";

/** A simulated meter of any profile on a clock of its own, and sessions with it without a socket, for tests. */

/** A clock that stands still but for those who sleep on it. */
function virtualClock(at: number): Clock & { pass(ms: number): void } {
  let now = at;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    pass: (ms) => {
      now += ms;
    },
  };
}

export const NOON = Date.parse("2026-11-10T12:07:13Z");
export const CLIENT = "4844520000000001";

export interface Lab {
  readonly meter: SimulatedMeter;
  readonly clock: Clock & { pass(ms: number): void };
  readonly profile: DlmsProfile;
}
export function profileOf(name: string): DlmsProfile {
  const profile = PROFILES.get(name);
  if (profile?.protocol !== "dlms") throw new Error(`no DLMS profile ${name}`);
  return profile;
}
export function lab(
  profile: string | DlmsProfile,
  options: { fault?: FaultKind; children?: readonly string[]; clockOffsetMs?: number; shortens?: Shortens } = {},
): Lab {
  const clock = virtualClock(NOON);
  const plan = meterPlan(nodeCrypto, typeof profile === "string" ? profileOf(profile) : profile, {
    seed: 5,
    index: 4,
    clientSystemTitle: CLIENT,
    children: (options.children ?? []).map(profileOf),
    clockOffsetMs: options.clockOffsetMs ?? 1_200,
    ...(options.fault && { fault: options.fault }),
    shortens: options.shortens,
  });
  const ports = { crypto: nodeCrypto, random: seeded("meter"), now: () => clock.now() };
  return { meter: new SimulatedMeter(plan, 5, ports), clock, profile: plan.profile };
}

export interface Access {
  readonly profile?: DlmsProfile;
  readonly keys?: MeterKeys;
  /** The first counter is one more. */
  readonly counter?: number;
  readonly link?: (link: Link) => Link;
  readonly onIntervals?: NonNullable<SessionContext["onIntervals"]>;
}
let counter = 1_000;
async function contextOf({ meter, clock, profile: own }: Lab, access: Access): Promise<SessionContext<DlmsProfile>> {
  const link = await dialMeter(meter, clock);
  let next = access.counter;
  return {
    link: access.link?.(link) ?? link,
    clock,
    random: seeded(`client ${++counter}`),
    crypto: nodeCrypto,
    profile: access.profile ?? own,
    systemTitle: meter.plan.systemTitle,
    clientSystemTitle: CLIENT,
    keys: access.keys ?? (meter.plan.enrolled as MeterKeys),
    counters: { next: () => (next === undefined ? ++counter : ++next) },
    responseTimeoutMs: 5_000,
    ...(access.onIntervals && { onIntervals: access.onIntervals }),
  };
}

/** The driver's session. */
export const meterSession = async (of: Lab, access: Access = {}): Promise<MeterSession> =>
  dlmsDriver.open(await contextOf(of, access));
/** The association underneath, for procedures that no neutral operation has. */
export const dlmsSession = async (of: Lab, access: Access = {}): Promise<DlmsSession> =>
  openSession(await contextOf(of, access));
