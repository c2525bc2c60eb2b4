import type { AccessItem } from "../jobs/access.ts";
import type { Introduction, Reception } from "../metering/driver.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { Link } from "../ports/link.ts";
import { toHex } from "../ports/octets.ts";
import { type Arrival, callerProof, type ProofPorts, Refused, refusedArrival } from "./caller-proof.ts";
import { type HeldConnection, holdConnection } from "./held-connection.ts";
import { minuteCounts, type ReceptionLimits } from "./reception-limits.ts";

export interface ReceptionPorts extends ProofPorts {
  readonly reception: Reception;
  /** Unique to this run of the task. */
  readonly task: string;
  /** Where other tasks ask this one for byte pipes. */
  readonly address: string;
  /** A meter is reachable again. */
  readonly onAttached?: (place: Place) => void;
}

export interface ReceptionDesk {
  /**
   * Takes a new connection over: who it is, its proof, its entry. Never rejects. `said`: what it has said of itself
   * already; absent: it is asked.
   */
  accept(link: Link, said?: Introduction): Promise<Arrival>;
  /** A connection of this task by its id. */
  find(connection: string): HeldConnection | undefined;
  readonly held: number;
  /** Takes no connection any more and ends those that it has, the busy ones when their conversation is over. */
  drain(graceMs: number): Promise<void>;
}

const CONNECTION_OCTETS = 16;
const DRAIN_STEP_MS = 100;

/**
 * Meters that call in. A caller is nobody until its session has proved, freshly and under the meter's own keys, that it
 * is the enrolled meter: its address says nothing, and what it says of itself only tells whose keys to ask for.
 */
export function receptionDesk(ports: ReceptionPorts, limits: ReceptionLimits): ReceptionDesk {
  const { clock, sessionClock, access } = ports;
  const proof = callerProof(ports);
  const counts = minuteCounts(clock, limits);
  const connections = new Map<
    string,
    { readonly held: HeldConnection; readonly item: AccessItem; ended: Promise<void> }
  >();
  const newest = new Map<MeterId, HeldConnection>();
  const arriving = new Set<HeldConnection>();
  let draining = false;

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
      await proof.enter(item, { task: ports.task, address: ports.address }, connection, base);
    } catch (error) {
      held.close();
      throw error;
    }
    newest.get(item.meterId)?.close(); // the meter has given it up
    newest.set(item.meterId, held);
    ports.onAttached?.(item);
    return connection;
  };

  const ask = async (held: HeldConnection, deadline: number): Promise<Introduction> => {
    const { introduce } = ports.reception;
    if (introduce === undefined) throw new Refused("unknown", "reception.nameless");
    const link = await held.take(deadline);
    return introduce({ ...proof.conversation(link), firstWordMs: limits.firstWordMs }).finally(() => link.close());
  };

  const receive = async (held: HeldConnection, said: Introduction | undefined): Promise<Arrival> => {
    const deadline = sessionClock.now() + limits.identifyMs;
    let meterId: MeterId | undefined;
    try {
      const found = await proof.place(said ?? (await ask(held, deadline)));
      meterId = found.meterId;
      if (!counts.attempt(meterId)) throw new Refused("limit", "reception.tries-of-meter");
      const meter = await proof.suppose(meterId, found.place);
      await proof.prove(meter, await held.take(deadline));
      if (!held.isOpen) throw new Refused("interrupted", "reception.not-released");
      if (draining) throw new Refused("limit", "reception.draining");
      return { kind: "held", meterId, connection: await keep(held, meter.item, meter.counters.look.lease.base) };
    } catch (error) {
      held.close();
      return refusedArrival(error, meterId);
    }
  };

  return {
    async accept(link, said) {
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
      const arrival = await receive(held, said);
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
