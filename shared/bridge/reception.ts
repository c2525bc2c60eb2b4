import type { AccessItem, AccessStore } from "../jobs/access.ts";
import type { Driver, Introduction, Reception, SessionContext } from "../metering/driver.ts";
import { provesFreshly } from "../metering/fresh-proof.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { Link } from "../ports/link.ts";
import { toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import type { Registry } from "../registry/registry.ts";
import { COUNTER_REFUSED } from "../security/counters.ts";
import type { KeyVault } from "../security/key-vault.ts";
import { type ActiveEpoch, type CounterDesk, counterDesk, type MeterCounters } from "./counter-desk.ts";
import { failureOf } from "./failure-of.ts";
import { type HeldConnection, holdConnection } from "./held-connection.ts";
import type { ProfileSource } from "./profiles.ts";
import { minuteCounts, type ReceptionLimits } from "./reception-limits.ts";

export interface ReceptionPorts {
  /** The machine's: holds, counts. */
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
  readonly reception: Reception;
  readonly driver: Driver;
  readonly clientSystemTitle: string;
  /** Unique to this run of the task. */
  readonly task: string;
  /** Where other tasks ask this one for byte pipes. */
  readonly address: string;
  /** A meter is reachable again. */
  readonly onAttached?: (place: Place) => void;
}

/** What became of a connection. `because` is a failure's word, or one of the reception's own. */
export type Arrival =
  | { readonly kind: "held"; readonly meterId: MeterId; readonly connection: string }
  | { readonly kind: "refused"; readonly because: string; readonly code: string; readonly meterId?: MeterId };

export interface ReceptionDesk {
  /** Takes a new connection over: who it is, its proof, its entry. Never rejects. */
  accept(link: Link): Promise<Arrival>;
  /** A connection of this task by its id. */
  find(connection: string): HeldConnection | undefined;
  readonly held: number;
  /** Takes no connection any more and ends those that it has, the busy ones when their conversation is over. */
  drain(graceMs: number): Promise<void>;
}

/** Counters that one proof may draw. */
const PROOF_COUNTERS = 64;
/** Proofs of one segment share a lease for so long, ms, each meter once: strangers who say names wear nothing out. */
const LEASE_SHARED_MS = 3_000;
const SEGMENTS_MAX = 10_000;
const RESPONSE_MS = 5_000;
const CONNECTION_OCTETS = 16;
const ATTACH_TRIES = 5;
const DRAIN_STEP_MS = 100;

class Refused extends Error {
  readonly because: string;
  readonly code: string;
  constructor(because: string, code: string) {
    super(code);
    this.because = because;
    this.code = code;
  }
}

/** A meter that is enrolled, found by what the caller said of itself. Nothing of it is proved yet. */
interface Supposed {
  readonly item: AccessItem;
  readonly profile: DeviceProfile;
  readonly counters: MeterCounters;
  readonly desk: CounterDesk;
  readonly keys: MeterKeys;
}

/**
 * Meters that call in. A caller is nobody until its session has proved, freshly and under the meter's own keys, that it
 * is the enrolled meter: its address says nothing, and what it says of itself only tells whose keys to ask for.
 */
export function receptionDesk(ports: ReceptionPorts, limits: ReceptionLimits): ReceptionDesk {
  const { clock, sessionClock, access } = ports;
  const counts = minuteCounts(clock, limits);
  const connections = new Map<
    string,
    { readonly held: HeldConnection; readonly item: AccessItem; ended: Promise<void> }
  >();
  const newest = new Map<MeterId, HeldConnection>();
  const arriving = new Set<HeldConnection>();
  const desks = new Map<number, { readonly desk: CounterDesk; readonly at: number; readonly served: Set<MeterId> }>();
  /** Meters whose last proof failed because of a counter; the second time in a row their offset is raised. */
  const counterRefused = new Set<string>();
  let draining = false;

  const conversation = (link: Link): Omit<SessionContext, "profile" | "systemTitle" | "keys" | "counters"> => ({
    link,
    clock: sessionClock,
    random: ports.random,
    crypto: ports.crypto,
    clientSystemTitle: ports.clientSystemTitle,
    responseTimeoutMs: RESPONSE_MS,
  });

  const placeOf = async ({ titles, serials }: Introduction): Promise<{ meterId: MeterId; place: Place }> => {
    const names = [
      ...titles.map((value) => ({ kind: "title", value: value.toLowerCase() }) as const),
      ...serials.map((value) => ({ kind: "serial", value }) as const),
    ];
    if (names.length === 0) throw new Refused("unknown", "reception.nameless");
    const claim = (await ports.registry.claims(names)).find((one) => one !== undefined);
    const meter = claim && (await ports.registry.meters([claim.meterId])).get(claim.meterId);
    if (meter === undefined || meter.state !== "enrolled") throw new Refused("unknown", "reception.not-enrolled");
    return { meterId: claim?.meterId ?? meter.meter.meterId, place: meter.place };
  };

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

  /** Lease, then look, then speak: as for every session. */
  const supposed = async (meterId: MeterId, place: Place): Promise<Supposed> => {
    const desk = deskFor(place.segment, meterId);
    const lease = await desk.lease();
    const item = await access.read(place);
    if (item?.meterId !== meterId) throw new Refused("unknown", "reception.slot-of-another");
    if (!item.routes.some(({ kind }) => kind === "attached")) throw new Refused("refused", "reception.not-attached");
    const profile = await ports.profiles(item.profile.name, item.profile.version);
    if (profile === undefined || profile.protocol !== ports.reception.protocol || !provesFreshly(profile))
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
  };

  const prove = async (held: HeldConnection, { item, profile, counters, desk, keys }: Supposed, deadline: number) => {
    const link = await held.take(deadline);
    try {
      const session = await ports.driver.open({
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
    if (!held.isOpen) throw new Refused("interrupted", "reception.not-released");
  };

  /** Writes the entry; the newest connection of a meter wins. */
  const attach = async (first: AccessItem, connection: string, base: bigint): Promise<void> => {
    const { meterId } = first;
    let item: AccessItem | undefined = first;
    for (let tries = 0; tries < ATTACH_TRIES && item?.meterId === meterId; tries++) {
      const seq = (item.attachedSeq ?? 0) + 1;
      const attached = { task: ports.task, address: ports.address, connection, seq };
      if (await access.attach(item, meterId, attached, base)) return;
      item = await access.read(first);
      if (item !== undefined && item.releasedBase > base) break; // somebody has used higher counters since
    }
    throw new Refused("busy", "reception.overtaken");
  };

  const detach = async (item: AccessItem, connection: string): Promise<void> => {
    for (const pause of [0, 500, 2_000, 8_000])
      try {
        if (pause > 0) await clock.sleep(pause);
        await access.detach(item, connection);
        return;
      } catch {
        // Told to nobody: who meets the stale entry removes it.
      }
  };

  const keep = async (held: HeldConnection, item: AccessItem, base: bigint): Promise<string> => {
    const connection = toHex(ports.random.octets(CONNECTION_OCTETS));
    // Known here before anybody can read of it.
    const ended = held.closed.then(async () => {
      connections.delete(connection);
      if (newest.get(item.meterId) === held) newest.delete(item.meterId);
      await detach(item, connection);
    });
    connections.set(connection, { held, item, ended });
    try {
      await attach(item, connection, base);
    } catch (error) {
      held.close();
      throw error;
    }
    newest.get(item.meterId)?.close(); // the meter has given it up
    newest.set(item.meterId, held);
    ports.onAttached?.(item);
    return connection;
  };

  const receive = async (held: HeldConnection): Promise<Arrival> => {
    const deadline = sessionClock.now() + limits.identifyMs;
    let meterId: MeterId | undefined;
    try {
      const link = await held.take(deadline);
      const introduction = await ports.reception
        .introduce({ ...conversation(link), firstWordMs: limits.firstWordMs })
        .finally(() => link.close());
      const found = await placeOf(introduction);
      meterId = found.meterId;
      if (!counts.attempt(meterId)) throw new Refused("limit", "reception.tries-of-meter");
      const meter = await supposed(meterId, found.place);
      await prove(held, meter, deadline);
      if (draining) throw new Refused("limit", "reception.draining");
      return { kind: "held", meterId, connection: await keep(held, meter.item, meter.counters.look.lease.base) };
    } catch (error) {
      held.close();
      const known = meterId === undefined ? {} : { meterId };
      if (error instanceof Refused) return { kind: "refused", because: error.because, code: error.code, ...known };
      const failure = failureOf(error, true);
      return { kind: "refused", because: failure.reason, code: failure.code, ...known };
    }
  };

  return {
    async accept(link) {
      const limit = (code: string): Arrival => {
        void link.close();
        return { kind: "refused", because: "limit", code };
      };
      if (draining) return limit("reception.draining");
      if (connections.size + arriving.size >= limits.connections) return limit("reception.connections");
      if (arriving.size >= limits.arriving) return limit("reception.arriving");
      if (!counts.arrival()) return limit("reception.per-minute");
      const held = holdConnection(link, ports.reception.watch(), sessionClock);
      arriving.add(held);
      const decided = new AbortController();
      let late = false;
      void clock.sleep(limits.identifyMs, decided.signal).then(
        () => {
          late = true;
          held.close();
        },
        () => undefined,
      );
      const arrival = await receive(held);
      decided.abort();
      arriving.delete(held);
      return late && arrival.kind === "refused"
        ? { ...arrival, because: "limit", code: "reception.too-late" }
        : arrival;
    },
    find(connection) {
      return connections.get(connection)?.held;
    },
    get held() {
      return connections.size;
    },
    async drain(graceMs) {
      draining = true;
      for (const held of arriving) held.close();
      const until = clock.now() + graceMs;
      const ends = [...connections.values()].map(({ ended }) => ended);
      while (connections.size > 0) {
        const over = clock.now() >= until;
        for (const { held } of connections.values()) if (over || !held.busy) held.close();
        if (over) break;
        if (connections.size > 0) await clock.sleep(DRAIN_STEP_MS);
      }
      await Promise.all(ends);
    },
  };
}
