import { SessionError } from "../../metering/failure.ts";
import type { MeterKeys } from "../../metering/meter-keys.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { parseHex, toHex } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { decodeApdu } from "../apdu.ts";
import { BlockStream } from "../block-stream.ts";
import { DataNotificationConfirm } from "../data-notification-confirm.ts";
import { type DateTime, dateTimeIn } from "../date-time.ts";
import { GeneralBlockTransfer } from "../general-block-transfer.ts";
import { LONG_INVOKE } from "../long-invoke-id.ts";
import { protectedApdu } from "../security/apdu-protection.ts";
import { GeneralCiphering, GeneralSigning } from "../security/ciphered-apdu.ts";
import {
  type Draws,
  type Dress,
  isAsDemanded,
  openSecured,
  type SecuritySide,
  sealSecured,
} from "../security/secured-apdu.ts";
import { securityControlOf } from "../security/security-control.ts";
import { AUTHENTICATED_AND_ENCRYPTED, policyOfBits, type SecurityPolicy } from "../security/security-policy.ts";
import { conversationError } from "./apdu-link.ts";
import { refusalError } from "./application-security.ts";
import { eventValues, notificationValues, type PushedValue, type PushMeaning, reportValues } from "./pushed-values.ts";
import { cipheringSecretsOf } from "./session-keys.ts";

/** The meter that a push is held against: its enrolled title, keys and policy. */
export interface PushSource {
  readonly side: SecuritySide;
  readonly policy: SecurityPolicy;
}

/** What tells this push from a repetition: stored with what it wrote, under condition, a repetition meets itself. */
export interface PushedUnder {
  /** Hex. */
  readonly title: string;
  /** `unicast`: the global key. `agreed`, `signed`: no key of the message outlives it. */
  readonly keySet: "unicast" | "agreed" | "signed";
  /** Invocation counter under the global key, else the transaction id; above all before it of this title and key set. */
  readonly counter: bigint;
}

/** An unsolicited message in neutral words. */
export interface Pushed {
  readonly kind: "dataNotification" | "eventNotification" | "informationReport";
  /** Undefined: in clear, or encrypted alone. Nobody has proved it: a hint to poll, no more. */
  readonly authenticated: PushedUnder | undefined;
  /** When the meter says it was sent; undefined: it does not say. */
  readonly sentAt: DateTime | undefined;
  readonly values: readonly PushedValue[];
  /** The meter marks the notification as confirmed: answer with `confirmPush` where its push setup waits for that. */
  readonly confirmable: boolean;
  readonly longInvokeId: number | undefined;
  /** How the message was protected; a confirmation goes the same way. */
  readonly dress: Dress;
}

/** Throws `SessionError` `dlms.keys-missing` for keys that do not fit, `dlms.title-missing` for titles that are none. */
export function pushSource(
  crypto: Crypto,
  { dlms: { access } }: DlmsProfile,
  keys: MeterKeys | undefined,
  titles: { readonly systemTitle: string; readonly clientSystemTitle: string },
): PushSource {
  const peerTitle = parseHex(titles.systemTitle);
  const ownTitle = parseHex(titles.clientSystemTitle);
  if (peerTitle?.length !== 8 || ownTitle?.length !== 8)
    throw new SessionError("auth", "dlms.title-missing", "expected system titles of 8 octets");
  const { securitySuite: suite, securityPolicy } = access;
  const secrets = cipheringSecretsOf(crypto, keys, suite);
  return {
    side: { crypto, suite, ownTitle, peerTitle, secrets, dedicated: undefined },
    policy: securityPolicy === undefined ? AUTHENTICATED_AND_ENCRYPTED : policyOfBits(securityPolicy),
  };
}

/**
 * The title that an unsolicited APDU claims, hex: whose keys to open it with. Undefined: it claims none, so that only
 * its connection tells. Throws `SessionError` `dlms.malformed-answer`.
 */
export function claimedTitle(apdu: Uint8Array): string | undefined {
  try {
    if (apdu[0] === 0xdf) return toHex(decode(GeneralSigning, apdu).originatorSystemTitle);
    if (apdu[0] === 0xdd) return toHex(decode(GeneralCiphering, apdu).originatorSystemTitle);
    const title = protectedApdu(apdu)?.systemTitle;
    return title && toHex(title);
  } catch (error) {
    throw conversationError(error);
  }
}

/**
 * Opens an unsolicited message. What is protected must be the source's own, no weaker than its policy, verified, and
 * newer than `last` says; what is in clear is told as such. Throws `SessionError`: `dlms.wrong-title`, `dlms.bad-tag`,
 * `dlms.weak-protection`, `dlms.stale-counter`…, `dlms.keys-missing` without a source, `dlms.malformed-answer`,
 * `dlms.unexpected-answer` for an APDU that is no notification.
 */
export function receivePush(
  source: PushSource | undefined,
  last: (keySet: PushedUnder["keySet"]) => bigint | undefined,
  apdu: Uint8Array,
  meaning: PushMeaning = {},
): Pushed {
  try {
    const isClear = apdu[0] !== 0xdd && apdu[0] !== 0xdf && protectedApdu(apdu) === undefined;
    if (isClear) return told(apdu, undefined, { form: "clear", scope: "global" }, meaning);
    if (source === undefined)
      throw new SessionError("auth", "dlms.keys-missing", "expected the keys of the meter that pushes");
    const opened = openSecured(source.side, apdu);
    if (opened.kind === "refused") throw refusalError(opened, apdu, source.side.peerTitle);
    if (!isAsDemanded(opened, source.side.suite, source.policy.response))
      throw new SessionError("auth", "dlms.weak-protection", "expected a push protected as the policy demands", {
        detail: { securityControl: opened.securityControl, signed: opened.dress.signed === true },
      });
    return told(opened.apdu, provenUnder(source, last, opened), opened.dress, meaning);
  } catch (error) {
    throw conversationError(error);
  }
}

type Opened = Extract<ReturnType<typeof openSecured>, { readonly kind: "opened" }>;

function provenUnder(
  { side }: PushSource,
  last: (keySet: PushedUnder["keySet"]) => bigint | undefined,
  { dress, securityControl, invocationCounter }: Opened,
): PushedUnder | undefined {
  const { authenticated, encrypted } = securityControlOf(securityControl);
  if (!authenticated && dress.signed !== true) return undefined;
  const keySet = invocationCounter !== undefined ? "unicast" : authenticated || encrypted ? "agreed" : "signed";
  const counter = invocationCounter === undefined ? numberOf(dress.transactionId) : BigInt(invocationCounter);
  const floor = last(keySet);
  if (counter === undefined || (floor !== undefined && counter <= floor))
    throw new SessionError("auth", "dlms.stale-counter", "expected a push that is newer than the last one", {
      detail: { keySet, counter: String(counter), floor: String(floor) },
    });
  return { title: toHex(side.peerTitle), keySet, counter };
}

/** A transaction id of eight octets as a number. */
const numberOf = (id: Uint8Array | undefined): bigint | undefined =>
  id?.length === 8 ? new DataView(id.buffer, id.byteOffset, 8).getBigUint64(0) : undefined;

function told(octets: Uint8Array, authenticated: PushedUnder | undefined, dress: Dress, meaning: PushMeaning): Pushed {
  const apdu = decodeApdu(octets);
  const common = { authenticated, dress, confirmable: false, longInvokeId: undefined };
  switch (apdu.name) {
    case "DataNotification": {
      const { longInvokeIdAndPriority, dateTime, notificationBody } = apdu.value;
      return {
        ...common,
        kind: "dataNotification",
        sentAt: timeIn(dateTime),
        values: notificationValues(notificationBody, meaning),
        confirmable: (longInvokeIdAndPriority & LONG_INVOKE.confirmed) !== 0,
        longInvokeId: longInvokeIdAndPriority,
      };
    }
    case "EventNotificationRequest":
      return {
        ...common,
        kind: "eventNotification",
        sentAt: timeIn(apdu.value.time),
        values: eventValues(apdu.value, meaning),
      };
    case "InformationReportRequest":
      return {
        ...common,
        kind: "informationReport",
        sentAt: timeIn(apdu.value.currentTime),
        values: reportValues(apdu.value, meaning),
      };
    default:
      throw new SessionError("protocol", "dlms.unexpected-answer", `expected a notification, got ${apdu.name}`);
  }
}

const timeIn = (octets: Uint8Array | undefined): DateTime | undefined =>
  octets === undefined ? undefined : dateTimeIn({ type: "octet-string", value: octets });

/** The DataNotification-Confirm of a push, protected as the push was; undefined: the meter does not ask for one. */
export function confirmPush(source: PushSource | undefined, pushed: Pushed, draws: Draws): Uint8Array | undefined {
  if (!pushed.confirmable || pushed.longInvokeId === undefined) return undefined;
  const apdu = encode(DataNotificationConfirm, {
    longInvokeIdAndPriority: pushed.longInvokeId,
    dateTime: new Uint8Array(0),
  });
  if (pushed.dress.form === "clear" && pushed.dress.signed !== true) return apdu;
  if (source === undefined) throw new SessionError("auth", "dlms.keys-missing", "expected the keys of the meter");
  return sealSecured(source.side, pushed.dress, source.policy.request, draws, apdu);
}

/** Most octets of one push in blocks. */
const PUSH_MAX = 0x1_0000;

/** Joins the blocks of unconfirmed General-Block-Transfer of one peer; an APDU without blocks passes. */
export class PushAssembly {
  #stream: BlockStream | undefined;
  #octets = 0;

  /** The whole APDU; undefined: more blocks are to come, or one was lost and with it the push. */
  take(apdu: Uint8Array): Uint8Array | undefined {
    if (apdu[0] !== 0xe0) return apdu;
    let block: GeneralBlockTransfer;
    try {
      block = decode(GeneralBlockTransfer, apdu);
    } catch (error) {
      throw conversationError(error);
    }
    if (block.blockNumber === 1) {
      this.#stream = new BlockStream({ blockSize: 1, window: 1 });
      this.#octets = 0;
    }
    this.#octets += block.blockData.length;
    const taken = this.#octets > PUSH_MAX ? undefined : this.#stream?.take(block);
    if (taken === undefined || taken.broken || taken.apdu !== undefined) this.#stream = undefined;
    return taken?.apdu;
  }
}
