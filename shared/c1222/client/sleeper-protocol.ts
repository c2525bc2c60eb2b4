import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import { GROUP_INVOCATION_IDS } from "../../metering/group.ts";
import type { MailRequest, Said, Sleeper, SleeperProtocol } from "../../metering/mailbox.ts";
import type { IntervalSet } from "../../metering/result.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext, integerContentOf, NO_ELEMENTS, unsignedOf } from "../a-context.ts";
import { absoluteTitle } from "../ap-title.ts";
import { epsemControl, writePayload } from "../epsem.ts";
import { type Notification, type NotificationPorts, openNotification } from "../network/notification.ts";
import { OK } from "../response-code.ts";
import { securedApdu } from "../security/secured-apdu.ts";
import { encodeRequest, type Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { clockSetResult, setClockRequests, type TimeForm } from "./clock-message.ts";
import { enrolledKey, type ReadyKey, SECURITY_MODES } from "./enrolled-key.ts";
import { conversationError } from "./exchange.ts";
import { readClock } from "./meter-clock.ts";
import { readerOf, readResult, readsOf } from "./one-message.ts";
import { openAnswer } from "./open-answer.ts";
import { readIntervals } from "./read-intervals.ts";

type Profile = C1222Profile["c1222"];

/** Intervals that are taken from what an endpoint says by itself: older ones were said before, or are asked for. */
const SAID_MS = 2 * 86_400_000;

const unsupported = (code: string, message: string): SessionError => new SessionError("unsupported", code, message);

function securedOf({ profile, keys }: Sleeper, crypto: Crypto): { readonly c1222: Profile; readonly key: ReadyKey } {
  if (profile.protocol !== "c1222" || profile.c1222.sleep === undefined)
    throw unsupported("c1222.no-sleeper", `the model of profile ${profile.name} does not sleep`);
  const { c1222 } = profile;
  if (c1222.access.userId !== undefined || c1222.access.session !== undefined)
    throw unsupported("c1222.sleeper-password", "an endpoint that asks for a password takes no single messages");
  const key = enrolledKey(c1222.access, keys, crypto);
  if (key === undefined) throw new SessionError("unsafe", "c1222.sleeper-clear", "expected an endpoint with a key");
  return { c1222, key };
}

function timeOf({ sleep }: Profile): TimeForm {
  if (sleep?.time === undefined)
    throw unsupported("c1222.no-sleeper-time", "the device profile does not say how the endpoint takes time");
  return sleep.time;
}

const servicesOf = (profile: Profile, request: MailRequest): readonly Request[] =>
  request.operation.kind === "setClock"
    ? setClockRequests(profile, timeOf(profile), request)
    : readsOf(profile, request.operation);

/** Malformed octets are the endpoint's fault. */
async function fitting<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof WireError ? conversationError(error, true) : error;
  }
}

/** Intervals of the load profiles that came along whole, with all that they are laid out by. */
async function intervalsOf(
  profile: Profile,
  { tables }: Notification,
  sentAt: number,
): Promise<readonly IntervalSet[]> {
  const whole = tables.filter(({ offset, index }) => offset === undefined && index === undefined);
  const told = new Set(whole.map(({ tableId }) => tableId));
  const sets = profile.loadProfiles.filter(({ set }) => told.has(0) && told.has(63) && told.has(63 + set));
  if (sets.length === 0) return [];
  const requests: Request[] = whole.map(({ tableId }) => ({ service: "fullRead", tableId }));
  const responses: Response[] = whole.map(({ data }) => ({ code: OK, body: { kind: "data", data } }));
  const reader = await readerOf(profile, requests, responses);
  const { shown = sentAt, ...instants } = await readClock(reader, profile, () => sentAt);
  const intervals: IntervalSet[] = [];
  for (const one of sets) {
    const range = { from: shown - SAID_MS, to: shown };
    const read = await readIntervals(reader, one, { shown, ...instants }, shown, range);
    if (read.intervals !== undefined && read.intervals.entries.length > 0) intervals.push(read.intervals);
  }
  return intervals;
}

/** What was kept while there was no network is late, and no worse: ingest tells a replay by its counter. */
const WHENEVER: NotificationPorts["guard"] = { judge: () => "fresh" };

async function said(octets: Uint8Array, sleeper: Sleeper, crypto: Crypto): Promise<Said> {
  const { c1222 } = securedOf(sleeper, crypto);
  const notification = await openNotification(octets, sleeper, { crypto, now: 0, guard: WHENEVER });
  const { keyId, sentAt, invocationId, registers, exceptions } = notification;
  if (keyId === undefined || sentAt === undefined)
    throw new SessionError("auth", "c1222.security-mode", "expected a message under the endpoint's own key");
  return {
    proof: { key: `c1222.${keyId}`, counter: (BigInt(sentAt / 1000) << 32n) | BigInt(invocationId) },
    sentAt,
    registers,
    intervals: await intervalsOf(c1222, notification, sentAt),
    events: exceptions.map(({ event, code }) => ({ at: sentAt, event, log: "exception-report", code })),
  };
}

/** Modules of C12.22 that sleep: each message stands alone, under the module's own key. */
export const c1222Sleepers: SleeperProtocol = {
  protocol: "c1222",
  listensMs(profile) {
    const sleep = profile.protocol === "c1222" ? profile.c1222.sleep : undefined;
    return sleep === undefined ? undefined : sleep.listens * 1000;
  },
  whose(octets) {
    try {
      const { calledApInvocationId, callingApTitle } = decode(AContext, octets);
      if (callingApTitle === undefined) return undefined;
      const answers = calledApInvocationId === undefined ? {} : { answers: unsignedOf(calledApInvocationId) };
      return { title: absoluteTitle(callingApTitle), ...answers };
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  },
  compose(sleeper, request, crypto) {
    const { c1222, key } = securedOf(sleeper, crypto);
    const { access } = c1222;
    const { invocationId, at } = request;
    if (!(invocationId > 0 && invocationId < GROUP_INVOCATION_IDS))
      throw new SessionError(
        "auth",
        "c1222.invocation-ids-used-up",
        "the key has to change: its invocation ids are used up",
      );
    return securedApdu(
      key.eaxPrime,
      { keyId: key.id, iv: Math.floor(at / 1000) },
      {
        ...NO_ELEMENTS,
        calledApTitle: sleeper.title,
        callingApTitle: access.callingApTitle,
        callingApInvocationId: integerContentOf(invocationId),
      },
      epsemControl({ securityMode: SECURITY_MODES[access.security] }),
      writePayload({ edClass: undefined, services: servicesOf(c1222, request).map(encodeRequest) }),
    );
  },
  open: (octets, sleeper, request, crypto) =>
    fitting(async () => {
      const { c1222, key } = securedOf(sleeper, crypto);
      const answer = decode(AContext, octets);
      const asked = answer.calledApInvocationId;
      if (asked === undefined || unsignedOf(asked) !== request.invocationId)
        throw new SessionError("auth", "c1222.other-request", "the answer is to another request");
      const requests = servicesOf(c1222, request);
      const { callingApTitle: ownTitle, security } = c1222.access;
      const securityMode = SECURITY_MODES[security];
      const responses = openAnswer(answer, { meterTitle: sleeper.title, ownTitle, securityMode, key }, requests);
      if (request.operation.kind !== "setClock")
        return readResult(c1222, request.operation, request.at, requests, responses);
      const result = clockSetResult(timeOf(c1222), request, responses);
      if (result.clockSet === undefined && result.refusals.length === 0)
        throw new SessionError("unverified", "c1222.clock-not-shown", "the answer does not show the time that was set");
      return result;
    }),
  said: (octets, sleeper, crypto) => fitting(() => said(octets, sleeper, crypto)),
};
