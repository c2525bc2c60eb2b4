import type { Notification } from "../c1222/network/notification.ts";
import type { PUSH_TRANSPORTS, PushReport } from "../jobs/push-message.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { EnrolledNode } from "./c1222-inbound.ts";
import { registerRecords } from "./task-report.ts";

/** The log that exceptions come in which a node reports by itself. */
const LOG = "exception-report";
/** Of the supply, what is reported the moment it happens is the last gasp and the notice of restoration. */
const AT_ONCE: Readonly<Partial<Record<EventName, EventName>>> = {
  "power.failed": "power.last-gasp",
  "power.restored": "power.restored-notice",
};

/** A notification and how it came. */
export interface HeardNotification {
  readonly from: EnrolledNode;
  readonly notification: Notification;
  /** The message as it came. */
  readonly octets: Uint8Array;
  /** Meter time, clock ms. */
  readonly receivedAt: number;
  readonly transport: (typeof PUSH_TRANSPORTS)[number];
}

/**
 * What a node said by itself, as a push report; undefined: it is none, because it came in clear or as a test. Its counter
 * is (IV, invocation id), which no message of a node has twice: the IV is the second in which it was sent, and above the
 * id, for a node's ids may begin anew when its power comes back.
 */
export function notificationReport(
  { from, notification, octets, receivedAt, transport }: HeardNotification,
  crypto: Pick<Crypto, "hash">,
): PushReport | undefined {
  const { keyId, sentAt, isTest, invocationId, registers, exceptions } = notification;
  if (keyId === undefined || sentAt === undefined || isTest) return undefined;
  const { name, version } = from.member.profile;
  return {
    slot: from.place.slot,
    meterId: from.meterId,
    proof: {
      key: `c1222.${keyId}`,
      version: from.keyVersion,
      counter: (BigInt(sentAt / 1000) << 32n) | BigInt(invocationId),
    },
    transport,
    receivedAt,
    sentAt,
    profile: { name, version },
    frameDigest: toHex(crypto.hash("sha256", octets)),
    ...(registers.length === 0 ? {} : { registers: [...registerRecords(registers)] }),
    ...(exceptions.length === 0
      ? {}
      : {
          events: exceptions.map(({ code, event, parameters }) => ({
            at: sentAt,
            e: AT_ONCE[event] ?? event,
            log: LOG,
            code,
            ...(parameters.length === 0 ? {} : { arg: toHex(parameters.subarray(0, 256)) }),
          })),
        }),
  };
}
