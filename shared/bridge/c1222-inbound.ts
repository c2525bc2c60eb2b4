import { AContext } from "../c1222/a-context.ts";
import { notifierOf, openNotification } from "../c1222/network/notification.ts";
import type { Origin, Registrar, RegistrarEvent } from "../c1222/network/registrar.ts";
import { PlaybackGuard } from "../c1222/security/playback.ts";
import type { GroupMember } from "../metering/group.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { HeardNotification } from "./notification-report.ts";

/** An enrolled meter that a message says it is from. */
export interface EnrolledNode {
  readonly meterId: MeterId;
  readonly place: Place;
  /** Of its sealed keys; 0: it has none. */
  readonly keyVersion: number;
  readonly member: GroupMember;
}

export interface InboundPorts {
  /** The headend's own titles. */
  readonly ownTitles: readonly string[];
  /** Meter time, clock milliseconds. */
  readonly now: () => number;
  readonly crypto: Crypto;
  readonly registrar: Registrar;
  /** Answers to group requests; false: it is none. */
  readonly onAnswer: (octets: Uint8Array) => boolean;
  /** By absolute title; undefined: nobody is enrolled under it. */
  readonly nodeOf: (apTitle: string) => Promise<EnrolledNode | undefined>;
  /** A message that verified and is new; or one in clear (no key), which is a hint to ask and no more. */
  readonly onNotification: (heard: HeardNotification) => void;
  readonly onRegistrar: (event: RegistrarEvent) => void;
}

/** Where C12.22 messages go that come in by themselves. */
export interface C1222Inbound {
  /**
   * One whole APDU; resolves with what is sent back the way it came. Never rejects. `origin` undefined: it came over a
   * connection that the headend opened, on which nobody registers.
   */
  receive(octets: Uint8Array, origin: Origin | undefined): Promise<Uint8Array | undefined>;
  /** What became of them since this was last asked, by code. */
  counts(): Readonly<Record<string, number>> | undefined;
}

/** Messages that are worked on at once: each costs look-ups and a verification; what is above is passed over. */
const AT_ONCE_MAX = 256;
/** Notifications remembered against playback: half an hour of some 36 a second. */
const REMEMBERED_MAX = 65_536;

/**
 * Registrations, notifications and answers to groups, on whichever task they arrive. A title only tells whose keys to open
 * a message with; nothing is believed that did not verify under them.
 */
export function c1222Inbound(ports: InboundPorts): C1222Inbound {
  const guard = new PlaybackGuard(REMEMBERED_MAX);
  let counts = new Map<string, number>();
  let working = 0;
  const count = (code: string): void => void counts.set(code, (counts.get(code) ?? 0) + 1);

  const notified = async (octets: Uint8Array, title: string, origin: Origin | undefined): Promise<void> => {
    const receivedAt = ports.now();
    const node = await ports.nodeOf(title);
    if (node === undefined) return count("inbound.not-enrolled");
    const notification = await openNotification(octets, node.member, { crypto: ports.crypto, now: ports.now(), guard });
    count(notification.keyId === undefined ? "notification.in-clear" : "notification");
    ports.onNotification({
      from: node,
      notification,
      octets,
      receivedAt,
      transport: origin === undefined ? "relay" : origin.transport,
    });
  };
  const serve = async (octets: Uint8Array, origin: Origin | undefined): Promise<Uint8Array | undefined> => {
    const apdu = decode(AContext, octets);
    if (apdu.calledApInvocationId !== undefined) {
      count(ports.onAnswer(octets) ? "answer" : "inbound.late-answer");
      return undefined;
    }
    const served = origin && (await ports.registrar.receive(apdu, origin));
    if (served !== undefined) {
      for (const event of served.events) {
        count(event.kind === "refused" ? `registration.${event.code}` : event.kind);
        ports.onRegistrar(event);
      }
      return served.answer;
    }
    const title = notifierOf(apdu, ports.ownTitles);
    if (title === undefined) count("inbound.not-ours");
    else await notified(octets, title, origin);
    return undefined;
  };

  return {
    async receive(octets, origin) {
      if (working >= AT_ONCE_MAX) {
        count("inbound.too-many");
        return undefined;
      }
      working++;
      try {
        return await serve(octets, origin);
      } catch (error) {
        count(
          error instanceof WireError
            ? "inbound.malformed"
            : error instanceof HeadraceError
              ? error.code
              : "inbound.fault",
        );
        return undefined;
      } finally {
        working--;
      }
    },
    counts() {
      const told = counts;
      counts = new Map();
      return told.size === 0 ? undefined : Object.fromEntries(told);
    },
  };
}
