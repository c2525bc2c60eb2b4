import { namesIn } from "../dlms/client/introduction.ts";
import { PUSH_PROTOCOL, pushContent, pushLists } from "../dlms/client/push-content.ts";
import { claimedTitle, confirmPush, type Pushed, pushSource, receivePush } from "../dlms/client/push-receiver.ts";
import type { AccessItem, AccessStore } from "../jobs/access.ts";
import type { PUSH_TRANSPORTS, PushReport } from "../jobs/push-message.ts";
import { SessionError } from "../metering/failure.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { Registry } from "../registry/registry.ts";
import type { KeyVault } from "../security/key-vault.ts";
import { type ActiveEpoch, counterDesk } from "./counter-desk.ts";
import { failureOf } from "./failure-of.ts";
import type { ProfileSource } from "./profiles.ts";
import type { PushBatcher } from "./push-batcher.ts";
import { type PushLimits, pushMinutes } from "./push-limits.ts";
import { contentFields, installationField } from "./task-report.ts";

export interface DlmsPushPorts {
  /** The machine's: limits, holds. */
  readonly clock: Clock;
  /** Meter time: when a push came. */
  readonly sessionClock: Pick<Clock, "now">;
  readonly crypto: Crypto;
  readonly access: AccessStore;
  readonly activeEpoch: ActiveEpoch;
  readonly registry: Pick<Registry, "claims" | "meters">;
  readonly profiles: ProfileSource;
  readonly vault: Pick<KeyVault, "open">;
  readonly clientSystemTitle: string;
  readonly pushes: Pick<PushBatcher, "add">;
  /** Somebody said, without a proof, that this enrolled meter has something to say. */
  readonly onHint?: (meterId: MeterId) => void;
}

/** Where an unsolicited APDU came in. */
export interface PushOrigin {
  readonly transport: (typeof PUSH_TRANSPORTS)[number];
  /** Who has proved to hold the connection. */
  readonly meterId?: MeterId;
}

/** What DLMS meters say by themselves, over whatever it came. */
export interface DlmsPushes {
  /** One whole APDU; resolves with the confirmation that the meter waits for. Never rejects. */
  receive(apdu: Uint8Array, origin: PushOrigin): Promise<Uint8Array | undefined>;
  /** What became of them since this was last asked, by code. */
  counts(): Readonly<Record<string, number>> | undefined;
}

class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

type DlmsDevice = Extract<DeviceProfile, { readonly protocol: "dlms" }>;
interface Supposed {
  readonly item: AccessItem;
  readonly profile: DlmsDevice;
}

/**
 * Pushes of DLMS meters. A title only tells whose keys to open a message with: nothing is believed that did not verify
 * under the enrolled meter's own keys as its policy demands. What is in clear is a hint to poll, no more. Whether a push
 * was there before is for the ingest to say, who sees all bridges' pushes.
 */
export function dlmsPushes(ports: DlmsPushPorts, limits: PushLimits): DlmsPushes {
  const { clock, crypto, access } = ports;
  const minutes = pushMinutes(clock, limits);
  let counts = new Map<string, number>();
  let [working, waiting] = [0, 0];
  const count = (code: string): void => void counts.set(code, (counts.get(code) ?? 0) + 1);

  const meterOf = async (apdu: Uint8Array, origin: PushOrigin): Promise<{ meterId: MeterId; place: Place }> => {
    const title = claimedTitle(apdu);
    const said = title === undefined ? namesIn(apdu) : { titles: [title], serials: [] };
    const names = [
      ...said.titles.map((value) => ({ kind: "title", value: value.toLowerCase() }) as const),
      ...said.serials.map((value) => ({ kind: "serial", value }) as const),
    ];
    if (names.length === 0 && origin.meterId === undefined) throw new Refused("push.nameless");
    if (!minutes.mayAsk(origin.meterId ?? names.map(({ value }) => value).join(" "))) throw new Refused("push.tries");
    const claim =
      names.length === 0 ? undefined : (await ports.registry.claims(names)).find((one) => one !== undefined);
    const meterId = claim?.meterId ?? origin.meterId;
    const meter = meterId && (await ports.registry.meters([meterId])).get(meterId);
    if (meterId === undefined || meter === undefined || meter.state !== "enrolled")
      throw new Refused("push.not-enrolled");
    return { meterId, place: meter.place };
  };

  const supposed = async (meterId: MeterId, place: Place): Promise<Supposed> => {
    const item = await access.read(place);
    if (item?.meterId !== meterId) throw new Refused("push.slot-of-another");
    const profile = await ports.profiles(item.profile.name, item.profile.version);
    if (profile?.protocol !== PUSH_PROTOCOL) throw new Refused("push.not-dlms");
    return { item, profile };
  };

  const sourceOf = async ({ item, profile }: Supposed) => {
    const { sealedKeys, systemTitle, meterId } = item;
    if (sealedKeys === undefined || systemTitle === undefined) return undefined;
    const keys = await ports.vault.open(
      { meterId, purpose: "meter-keys", version: sealedKeys.version },
      sealedKeys.blob,
    );
    const { clientSystemTitle } = ports;
    return pushSource(crypto, profile, keys, { systemTitle, clientSystemTitle });
  };

  /** Under a counter of its own, as everything that is sent; not while somebody needs the meter alone: it will repeat. */
  const confirmation = async (meter: Supposed, pushed: Pushed, source: Awaited<ReturnType<typeof sourceOf>>) => {
    if (!pushed.confirmable) return undefined;
    const desk = counterDesk(access, ports.activeEpoch, clock, meter.item.segment, 1);
    const lease = await desk.lease();
    const item = await access.read(meter.item);
    if (item?.meterId !== meter.item.meterId) return undefined;
    const { source: counters, look } = await desk.countersFor({ item, lease }, undefined);
    const { hold } = look.item;
    if (hold !== undefined && hold.until > clock.now()) return undefined;
    return confirmPush(source, pushed, {
      counter: () => counters.next(),
      ephemeral: () => {
        throw new SessionError("internal", "push.no-ephemeral", "expected a push under a key that both sides have");
      },
    });
  };

  /** `verified`: nothing is worked on any more, the rest is waiting. */
  const take = async (apdu: Uint8Array, origin: PushOrigin, verified: () => void): Promise<Uint8Array | undefined> => {
    const receivedAt = ports.sessionClock.now();
    const { meterId, place } = await meterOf(apdu, origin);
    const meter = await supposed(meterId, place);
    const { item, profile } = meter;
    const hint = (): void => {
      if (minutes.mayHint(meterId)) ports.onHint?.(meterId);
    };
    const source = await sourceOf(meter);
    const read = () => {
      const pushed = receivePush(source, () => undefined, apdu, { lists: pushLists(profile), profile });
      return { pushed, content: pushContent(pushed, profile, receivedAt) };
    };
    let found: ReturnType<typeof read>;
    try {
      found = read();
    } catch (error) {
      hint();
      throw error;
    }
    const { pushed, content } = found;
    const { registers, intervals, events, sentAt } = content;
    const { authenticated } = pushed;
    if (authenticated === undefined || item.sealedKeys === undefined) {
      count("push.in-clear");
      if (registers.length + intervals.length + events.length > 0) hint(); // a name alone is no news
      return undefined;
    }
    const told = contentFields(content);
    const report: PushReport = {
      slot: place.slot,
      meterId,
      proof: { key: authenticated.keySet, version: item.sealedKeys.version, counter: authenticated.counter },
      transport: origin.transport,
      receivedAt,
      profile: { ...item.profile },
      frameDigest: toHex(crypto.hash("sha256", apdu)),
      ...told,
      ...installationField(item, told.intervals),
      ...(sentAt === undefined ? {} : { sentAt, clockOffsetMs: sentAt - receivedAt }),
    };
    if (waiting >= limits.waiting) throw new Refused("push.too-many");
    verified();
    waiting++;
    try {
      await ports.pushes.add(place.segment, report, pushed.confirmable);
    } finally {
      waiting--;
    }
    count("push.taken");
    return confirmation(meter, pushed, source);
  };

  return {
    async receive(apdu, origin) {
      if (working >= limits.atOnce) {
        count("push.too-many");
        return undefined;
      }
      working++;
      let works = true;
      const verified = (): void => {
        if (works) working--;
        works = false;
      };
      try {
        return await take(apdu, origin, verified);
      } catch (error) {
        count(error instanceof Refused ? error.code : failureOf(error, true).code);
        return undefined;
      } finally {
        verified();
      }
    },
    counts() {
      const told = counts;
      counts = new Map();
      return told.size === 0 ? undefined : Object.fromEntries(told);
    },
  };
}
