import type { AccessItem } from "../jobs/access.ts";
import type { CounterSource, Driver, MeterSession, SessionContext } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import { isIdentityDue } from "../metering/identity.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { Operation } from "../metering/operation.ts";
import { isSilence, METER_SILENT, moduleAlone } from "../metering/ping.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import { pingedMeasurement } from "../metering/profile-abilities.ts";
import type { PushDestination } from "../metering/push-setting.ts";
import type { IntervalEntry, IntervalSet } from "../metering/result.ts";
import type { Route } from "../metering/route.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import { type Link, LinkError } from "../ports/link.ts";
import { concat, toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import { COUNTER_REFUSED } from "../security/counters.ts";
import type { KeyVault } from "../security/key-vault.ts";
import type { AttachedDial } from "./attached-dial.ts";
import type { Dial } from "./dial.ts";
import type { DriverRegistry } from "./driver-registry.ts";
import { failureOf, refusal } from "./failure-of.ts";
import type { ProfileSource } from "./profiles.ts";
import type { RelayDial } from "./relay-dial.ts";
import type { Frame, TaskEnd } from "./task-report.ts";
import type { RelayTrace, TraceEnd } from "./trace-relay.ts";

export interface PerformPorts {
  /** Meter time; time-outs of a session are counted on it too. */
  readonly sessionClock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly profiles: ProfileSource;
  readonly drivers: DriverRegistry;
  readonly vault: Pick<KeyVault, "open">;
  readonly dial: Dial;
  /** Over the connection that a meter holds itself; absent: this bridge lets nobody call in. */
  readonly attached?: AttachedDial;
  /** Over a relay's connection; absent: this bridge reaches none. */
  readonly relay?: RelayDial;
  /** Where the way over relays to a meter that does not answer ends; absent: it is not asked for. */
  readonly trace?: RelayTrace;
  /** This headend's own title, hex. */
  readonly clientSystemTitle: string;
  /** Where meters are to push to, if an operation does not say; absent: this deployment lets none call in. */
  readonly pushesTo?: PushDestination | undefined;
}

export interface TimeLimits {
  readonly connectMs: number;
  readonly responseMs: number;
}

/** Looks at what a session needs; a refusal here costs the meter no connection. */
async function prepare(
  ports: PerformPorts,
  item: AccessItem,
  attempt: number,
): Promise<{
  profile: DeviceProfile;
  driver: Driver;
  keys: MeterKeys | undefined;
  link: (deadline: number) => Promise<Link>;
}> {
  const { name, version } = item.profile;
  const profile = await ports.profiles(name, version);
  if (profile === undefined)
    throw new SessionError(
      "unsupported",
      "profile.unknown",
      `expected device profile ${name} version ${version}, found none`,
    );
  const driver = ports.drivers.driver(profile.protocol);
  if (driver === undefined)
    throw new SessionError("unsupported", "driver.unknown", `no driver for protocol ${profile.protocol}`);
  const route = routeOf(item, attempt);
  if (route === undefined) throw new SessionError("unsupported", "route.none", "the meter has no route");
  const { meterId, sealedKeys } = item;
  const keys =
    sealedKeys &&
    (await ports.vault.open({ meterId, purpose: "meter-keys", version: sealedKeys.version }, sealedKeys.blob));
  const link = (deadline: number): Promise<Link> => {
    switch (route.kind) {
      case "dial":
        return ports.dial(route, deadline);
      case "relay":
        return (ports.relay ?? noRelay)(route, deadline);
      case "attached":
        return (ports.attached ?? noneAttached)(item, deadline);
      case "sleepy":
        throw new SessionError(
          "unsupported",
          "route.sleepy",
          "what an endpoint that sleeps is asked goes into its mailbox",
        );
    }
  };
  return { profile, driver, keys, link };
}

/** The route of a try: another one each time, where there are several. */
const routeOf = ({ routes }: AccessItem, attempt: number): Route | undefined => routes[(attempt - 1) % routes.length];

const noRelay: RelayDial = async () => {
  throw new SessionError("unsupported", "route.relay", "this bridge reaches no relays");
};
/** Whether dialling it alone shows that somebody is there. */
const connects = (route: Route | undefined): boolean => route?.kind === "dial" && route.transport === "tcp";

const noneAttached: AttachedDial = async () => {
  throw new LinkError("link.route-lost", "the meter holds no connection to this headend now");
};

/** One try at an operation that is one call of the driver. Answers how it ended; never rejects. */
export const perform = async (
  ports: PerformPorts,
  item: AccessItem,
  counters: CounterSource,
  operation: Operation,
  attempt: number,
  limits: TimeLimits,
  signal: AbortSignal,
): Promise<TaskEnd> => {
  const route = routeOf(item, attempt);
  // A connection that the meter opened long ago says nothing about now, and a datagram socket nothing at all: there its
  // module is asked.
  const talk =
    operation.kind === "ping" && operation.depth === "network" && connects(route)
      ? undefined
      : async (session: MeterSession): Promise<TaskEnd> => ({ kind: "done", result: await session.perform(operation) });
  const end = await converse(ports, item, counters, attempt, limits, signal, talk, operation.kind);
  if (operation.kind !== "ping" || signal.aborted) return end;
  if (end.kind === "done") return operation.depth === "meter" ? meterSilent(end) : cardAlone(end);
  if (end.kind !== "failed" || end.failure.reason !== "timeout") return end;
  const { trace, sessionClock } = ports;
  if (route?.kind !== "relay" || trace === undefined)
    return connects(route) ? { ...end, evidence: ["tcp-accept"] } : end;
  const traced = await trace(route, item.systemTitle ?? ".", sessionClock.now() + limits.responseMs);
  return { ...end, failure: { ...end.failure, code: SILENCE[traced] } };
};

type Done = Extract<TaskEnd, { readonly kind: "done" }>;

/** The network card was asked: that the meter behind it said nothing is no matter. */
const cardAlone = (end: Done): Done => ({ ...end, result: { ...end.result, refusals: [] } });

/** The network card's answer alone is no answer of the meter. */
function meterSilent(end: Done): TaskEnd {
  const { evidence, refusals } = end.result;
  if (!refusals.some(({ code }) => code === METER_SILENT)) return end;
  const { result: _, ...said } = end;
  return { ...said, kind: "failed", failure: refusal("meter-silent", METER_SILENT), ...(evidence && { evidence }) };
}

/** What a ping over relays says of a meter that does not answer. */
const SILENCE: Readonly<Record<TraceEnd, string>> = {
  node: "relay.node-silent",
  relay: "relay.no-way",
  nobody: "relay.silent",
};

/**
 * One try: dial, open a session, talk, release. Answers how it ended; never rejects. `signal` closes the link: what then
 * fails was our own doing. `counters` were leased before `item` was read. Without a `talk` the connection alone is asked for.
 * Where no session of a ping comes about, its network card is asked by itself.
 */
export async function converse(
  ports: PerformPorts,
  item: AccessItem,
  counters: CounterSource,
  attempt: number,
  limits: TimeLimits,
  signal: AbortSignal,
  talk: ((session: MeterSession) => Promise<TaskEnd>) | undefined,
  kind: Operation["kind"],
): Promise<TaskEnd> {
  const { sessionClock: clock } = ports;
  const frames: Frame[] = [];
  const conversation = () => {
    const octets = frames.map((frame) => frame.octets);
    return frames.length === 0 ? {} : { frameDigest: toHex(ports.crypto.hash("sha256", concat(...octets))), frames };
  };
  const parts: IntervalSet[] = [];
  let heard = false;
  let link: Link | undefined;
  const hangUp = () => void link?.close();
  try {
    const { profile, driver, keys, link: dial } = await prepare(ports, item, attempt);
    signal.throwIfAborted();
    link = await dial(clock.now() + limits.connectMs);
    signal.addEventListener("abort", hangUp, { once: true });
    if (signal.aborted) hangUp();
    const accepted = link.kind === "stream" ? (["tcp-accept"] as const) : [];
    if (talk === undefined)
      return { kind: "done", result: { registers: [], intervals: [], refusals: [], evidence: accepted } };
    const context: SessionContext<DeviceProfile> = {
      link,
      clock,
      random: ports.random,
      crypto: ports.crypto,
      profile,
      systemTitle: item.systemTitle,
      clientSystemTitle: ports.clientSystemTitle,
      ...(ports.pushesTo === undefined ? {} : { pushesTo: ports.pushesTo }),
      ...(isIdentityDue(item.identity, clock.now()) ? { asksIdentity: true } : {}),
      keys,
      counters,
      recoversClock: kind === "setClock",
      responseTimeoutMs: limits.responseMs,
      onIntervals: (part) => void parts.push(part),
      onFrame(direction, octets) {
        frames.push({ direction, octets: octets.slice() });
        if (direction === "received") heard = true;
      },
    };
    const session = kind === "ping" ? await openOrIdentify(driver, context) : await driver.open(context);
    if (session === "module") {
      const result = moduleAlone([...accepted, "module-answer"], pingedMeasurement(profile));
      return { kind: "done", result, ...conversation() };
    }
    try {
      return { ...(await talk(session)), ...conversation() };
    } finally {
      await session.release();
    }
  } catch (error) {
    const partial = joined(parts);
    return { ...failedEnd(error, heard), ...conversation(), ...(partial.length === 0 ? {} : { partial }) };
  } finally {
    signal.removeEventListener("abort", hangUp);
    await link?.close();
  }
}

/** A session, or what stands in front of the meter where nothing but that answers. Throws what opening the session threw. */
async function openOrIdentify(
  driver: Driver,
  context: SessionContext<DeviceProfile>,
): Promise<MeterSession | "module"> {
  try {
    return await driver.open(context);
  } catch (error) {
    if (!isSilence(error) || driver.identify === undefined) throw error;
    try {
      await driver.identify(context);
    } catch {
      throw error;
    }
    return "module";
  }
}

/** The parts of each channel set as one, in the order in which they came; what came again stands once, as it came last. */
function joined(parts: readonly IntervalSet[]): readonly IntervalSet[] {
  const sets = new Map<string, { readonly set: IntervalSet; readonly entries: Map<number, IntervalEntry> }>();
  for (const part of parts) {
    const known = sets.get(part.channelSet) ?? { set: part, entries: new Map<number, IntervalEntry>() };
    sets.set(part.channelSet, known);
    for (const entry of part.entries) known.entries.set(entry.end, entry);
  }
  return [...sets.values()].flatMap(({ set, entries }) =>
    entries.size === 0 ? [] : [{ ...set, entries: [...entries.values()].sort((left, right) => left.end - right.end) }],
  );
}

/** The end that an error is. `heard`: the meter has said something since the dial. */
export function failedEnd(error: unknown, heard: boolean): Extract<TaskEnd, { readonly kind: "failed" }> {
  const failure = failureOf(error, heard);
  const ours = failure.reason === "internal" ? { cause: error } : {};
  if (!(error instanceof HeadraceError)) return { kind: "failed", failure, ...ours };
  if (error.code === "counter.exhausted") return { kind: "failed", failure, countersUsedUp: true };
  if (!error.code.endsWith(COUNTER_REFUSED)) return { kind: "failed", failure, ...ours };
  const { expectedCounter, proved } = error.detail;
  return {
    kind: "failed",
    failure: refusal("auth", error.code), // what could be done about it is done before this is reported
    counterRefused: {
      ...(typeof expectedCounter === "number" ? { counter: expectedCounter } : {}),
      ...(proved === true ? { proved } : {}),
    },
  };
}
