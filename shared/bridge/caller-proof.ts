import type { AccessItem, AccessStore, Where } from "../jobs/access.ts";
import type { Driver, Introduction, SessionContext } from "../metering/driver.ts";
import { provesFreshly } from "../metering/fresh-proof.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { Link } from "../ports/link.ts";
import type { Random } from "../ports/random.ts";
import type { Registry } from "../registry/registry.ts";
import { COUNTER_REFUSED } from "../security/counters.ts";
import type { KeyVault } from "../security/key-vault.ts";
import { type ActiveEpoch, type CounterDesk, counterDesk, type MeterCounters } from "./counter-desk.ts";
import { failureOf } from "./failure-of.ts";
import type { ProfileSource } from "./profiles.ts";

export interface ProofPorts {
  /** The machine's: holds, leases. */
  readonly clock: Clock;
  /** Meter time; time-outs of conversations are counted on it. */
  readonly sessionClock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly access: AccessStore;
  readonly activeEpoch: ActiveEpoch;
  readonly registry: Pick<Registry, "claims" | "meters">;
  readonly profiles: ProfileSource;
  readonly vault: Pick<KeyVault, "open">;
  readonly driver: Driver;
  readonly clientSystemTitle: string;
}

/** What became of a caller. `because` is a failure's word, or one of the reception's own. */
export type Arrival =
  | { readonly kind: "held"; readonly meterId: MeterId; readonly connection: string }
  | { readonly kind: "refused"; readonly because: string; readonly code: string; readonly meterId?: MeterId };

/** Why a caller is not let in. */
export class Refused extends Error {
  readonly because: string;
  readonly code: string;
  constructor(because: string, code: string) {
    super(code);
    this.because = because;
    this.code = code;
  }
}

/** The arrival that an error comes to. */
export function refusedArrival(error: unknown, meterId: MeterId | undefined): Arrival {
  const known = meterId === undefined ? {} : { meterId };
  if (error instanceof Refused) return { kind: "refused", because: error.because, code: error.code, ...known };
  const { reason, code } = failureOf(error, true);
  return { kind: "refused", because: reason, code, ...known };
}

/** A meter that is enrolled, found by what the caller said of itself. Nothing of it is proved yet. */
export interface Supposed {
  readonly item: AccessItem;
  readonly profile: DeviceProfile;
  readonly counters: MeterCounters;
  readonly desk: CounterDesk;
  readonly keys: MeterKeys;
}

export interface CallerProof {
  /** The enrolled meter that these names lead to. Throws `Refused`. */
  place(introduction: Introduction): Promise<{ readonly meterId: MeterId; readonly place: Place }>;
  /** Counters, access item and keys for its proof. Throws `Refused`, and what ports throw. */
  suppose(meterId: MeterId, place: Place): Promise<Supposed>;
  /** Its own session over this link, opened and released. Throws `SessionError` or `LinkError`. */
  prove(meter: Supposed, link: Link): Promise<void>;
  /** Writes where it is now; the newest wins. `base`: of the lease that it was proved under. Throws `Refused`. */
  enter(item: AccessItem, where: Where, connection: string, base: bigint): Promise<void>;
  conversation(link: Link): Omit<SessionContext, "profile" | "systemTitle" | "keys" | "counters">;
}

/** Counters that one proof may draw. */
const PROOF_COUNTERS = 64;
/** Proofs of one segment share a lease for so long, ms, each meter once: strangers who say names wear nothing out. */
const LEASE_SHARED_MS = 3_000;
const SEGMENTS_MAX = 10_000;
const RESPONSE_MS = 5_000;
const ENTER_TRIES = 5;

/**
 * Proof that whoever calls, or says where it is, is an enrolled meter: its session, freshly and under the meter's own
 * keys. What it says of itself only tells whose keys to ask for.
 */
export function callerProof(ports: ProofPorts): CallerProof {
  const { clock, sessionClock, access, driver } = ports;
  const desks = new Map<number, { readonly desk: CounterDesk; readonly at: number; readonly served: Set<MeterId> }>();
  /** Meters whose last proof failed because of a counter; the second time in a row their offset is raised. */
  const counterRefused = new Set<string>();

  /** A meter never meets a lease again that it was served under. */
  const deskFor = (segment: number, meterId: MeterId): CounterDesk => {
    const shared = desks.get(segment);
    if (shared !== undefined && clock.now() - shared.at < LEASE_SHARED_MS && !shared.served.has(meterId)) {
      shared.served.add(meterId);
      return shared.desk;
    }
    if (desks.size >= SEGMENTS_MAX) desks.clear();
    const desk = counterDesk(access, ports.activeEpoch, clock, segment, PROOF_COUNTERS);
    desks.set(segment, { desk, at: clock.now(), served: new Set([meterId]) });
    return desk;
  };
  const conversation: CallerProof["conversation"] = (link) => ({
    link,
    clock: sessionClock,
    random: ports.random,
    crypto: ports.crypto,
    clientSystemTitle: ports.clientSystemTitle,
    responseTimeoutMs: RESPONSE_MS,
  });

  return {
    conversation,
    async place({ titles, serials }) {
      const names = [
        ...titles.map((value) => ({ kind: "title", value: value.toLowerCase() }) as const),
        ...serials.map((value) => ({ kind: "serial", value }) as const),
      ];
      if (names.length === 0) throw new Refused("unknown", "reception.nameless");
      const claim = (await ports.registry.claims(names)).find((one) => one !== undefined);
      const meter = claim && (await ports.registry.meters([claim.meterId])).get(claim.meterId);
      if (meter === undefined || meter.state !== "enrolled") throw new Refused("unknown", "reception.not-enrolled");
      return { meterId: claim?.meterId ?? meter.meter.meterId, place: meter.place };
    },
    /** Lease, then look, then speak: as for every session. */
    async suppose(meterId, place) {
      const desk = deskFor(place.segment, meterId);
      const lease = await desk.lease();
      const item = await access.read(place);
      if (item?.meterId !== meterId) throw new Refused("unknown", "reception.slot-of-another");
      if (!item.routes.some(({ kind }) => kind === "attached")) throw new Refused("refused", "reception.not-attached");
      const profile = await ports.profiles(item.profile.name, item.profile.version);
      if (profile === undefined || profile.protocol !== driver.protocol || !provesFreshly(profile))
        throw new Refused("refused", "reception.no-fresh-proof");
      const { sealedKeys } = item;
      if (sealedKeys === undefined) throw new Refused("refused", "reception.no-keys");
      const counters = await desk.countersFor({ item, lease }, undefined);
      const { hold } = counters.look.item; // the last look: somebody may need the meter alone
      if (hold !== undefined && hold.until > clock.now()) throw new Refused("busy", "access.held");
      const keys = await ports.vault.open(
        { meterId, purpose: "meter-keys", version: sealedKeys.version },
        sealedKeys.blob,
      );
      return { item: counters.look.item, profile, counters, desk, keys };
    },
    async prove({ item, profile, counters, desk, keys }, link) {
      try {
        const session = await driver.open({
          ...conversation(link),
          profile,
          systemTitle: item.systemTitle,
          keys,
          counters: counters.source,
        });
        await session.release();
        counterRefused.delete(item.meterId);
      } catch (error) {
        if (error instanceof HeadraceError && error.code.endsWith(COUNTER_REFUSED)) {
          if (counterRefused.has(item.meterId)) {
            const { expectedCounter: counter, proved } = error.detail;
            await desk.raise(counters, {
              ...(typeof counter === "number" ? { counter } : {}),
              ...(proved === true ? { proved } : {}),
            });
          }
          counterRefused.add(item.meterId);
        }
        throw error;
      } finally {
        await link.close();
      }
    },
    async enter(first, where, connection, base) {
      const { meterId } = first;
      let item: AccessItem | undefined = first;
      for (let tries = 0; tries < ENTER_TRIES && item?.meterId === meterId; tries++) {
        const seq = (item.attachedSeq ?? 0) + 1;
        if (await access.attach(item, meterId, { ...where, connection, seq }, base)) return;
        item = await access.read(first);
        if (item !== undefined && item.releasedBase > base) break; // somebody has used higher counters since
      }
      throw new Refused("busy", "reception.overtaken");
    },
  };
}
