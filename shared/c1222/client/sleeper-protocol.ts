import { STANDARD_EVENTS } from "../../c1219/event-codes.ts";
import { readUnsigned } from "../../c1219/integer.ts";
import { PROCEDURE_INITIATE_TABLE, procedureRequestOf, STANDARD_PROCEDURE } from "../../c1219/procedure.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import { GROUP_INVOCATION_IDS } from "../../metering/group.ts";
import type { MailRequest, Said, Sleeper, SleeperProtocol } from "../../metering/mailbox.ts";
import type { IntervalSet, MeterEvent } from "../../metering/result.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { decode } from "../../wire/codec.ts";
import { Reader } from "../../wire/reader.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext, integerContentOf, NO_ELEMENTS, unsignedOf } from "../a-context.ts";
import { absoluteTitle, sameTitle } from "../ap-title.ts";
import { epsemControl, readPayload, writePayload } from "../epsem.ts";
import { OK } from "../response-code.ts";
import { openApdu, securedApdu } from "../security/secured-apdu.ts";
import { decodeRequest, encodeRequest, type Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { clockSetResult, configOf, setClockRequests, type TimeForm } from "./clock-message.ts";
import { enrolledKey, type ReadyKey, SECURITY_MODES } from "./enrolled-key.ts";
import { conversationError } from "./exchange.ts";
import { readClock } from "./meter-clock.ts";
import { readerOf, readResult, readsOf } from "./one-message.ts";
import { openAnswer } from "./open-answer.ts";
import { readIntervals } from "./read-intervals.ts";
import { readRegisters } from "./read-registers.ts";

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

/** What was written, as if it had been asked for: a table each. */
function toldTables(writes: readonly Request[]): { requests: Request[]; responses: Response[] } {
  const tables = writes.flatMap((write) =>
    write.service === "fullWrite" && write.tableId !== PROCEDURE_INITIATE_TABLE ? [write] : [],
  );
  return {
    requests: tables.map(({ tableId }) => ({ service: "fullRead", tableId })),
    responses: tables.map(({ data }) => ({ code: OK, body: { kind: "data", data } })),
  };
}

/** Exceptions that it reports: the standard's procedure, with an event code each. */
function exceptionsIn(writes: readonly Request[], profile: Profile, sentAt: number): readonly MeterEvent[] {
  const time = profile.sleep?.time;
  return writes.flatMap((write): readonly MeterEvent[] => {
    if (write.service !== "fullWrite" || write.tableId !== PROCEDURE_INITIATE_TABLE || time === undefined) return [];
    const config = configOf(time);
    const { number, manufacturer, parameters } = procedureRequestOf(write.data, config);
    if (manufacturer || number !== STANDARD_PROCEDURE.exceptionReport) return [];
    const code = Number(readUnsigned(new Reader(parameters), 2, config)) & 0x07ff;
    const names = profile.logs?.[0]?.codes ?? {};
    const event = names[`S${code}`] ?? STANDARD_EVENTS[code] ?? "unknown";
    return [{ at: sentAt, event, log: "exceptions", code: String(code) }];
  });
}

async function valuesOf(profile: Profile, writes: readonly Request[], sentAt: number) {
  const { requests, responses } = toldTables(writes);
  const told = new Set(requests.flatMap((request) => ("tableId" in request ? [request.tableId] : [])));
  if (!told.has(0)) return { registers: [], intervals: [] };
  const reader = await readerOf(profile, requests, responses);
  const clock = () => readClock(reader, profile, () => sentAt);
  const registers = await readRegisters(
    reader,
    profile.registers.filter(({ table }) => told.has(table)),
    clock,
  );
  const intervals: IntervalSet[] = [];
  const sets = profile.loadProfiles.filter(({ set }) => told.has(63) && told.has(63 + set));
  if (sets.length > 0) {
    const { shown = sentAt, ...instants } = await clock();
    for (const one of sets) {
      const range = { from: shown - SAID_MS, to: shown };
      const read = await readIntervals(reader, one, { shown, ...instants }, shown, range);
      if (read.intervals !== undefined && read.intervals.entries.length > 0) intervals.push(read.intervals);
    }
  }
  return { registers: registers.registers, intervals };
}

async function said(octets: Uint8Array, sleeper: Sleeper, crypto: Crypto): Promise<Said> {
  const { c1222, key } = securedOf(sleeper, crypto);
  const auth = (code: string, message: string): SessionError => new SessionError("auth", code, message);
  const apdu = decode(AContext, octets);
  if (apdu.callingApTitle === undefined || !sameTitle(apdu.callingApTitle, sleeper.title))
    throw auth("c1222.other-title", "the message comes under another title than the enrolled one");
  const opened = openApdu(apdu, (id) => (id === key.id ? key.eaxPrime : undefined));
  if (opened.kind === "closed") throw auth(opened.code, "the message does not verify under the enrolled key");
  if (opened.control.securityMode < SECURITY_MODES[c1222.access.security] || opened.authentication === undefined)
    throw auth("c1222.security-mode", "expected a message protected as the device profile has it");
  const { services } = readPayload(opened.payload, opened.control.edClassIncluded);
  const writes = services.map((service) => decodeRequest(service));
  const sentAt = opened.authentication.iv * 1000;
  const counter = (BigInt(opened.authentication.iv) << 32n) | BigInt(unsignedOf(apdu.callingApInvocationId));
  return {
    proof: { key: String(key.id), counter },
    sentAt,
    ...(await valuesOf(c1222, writes, sentAt)),
    events: exceptionsIn(writes, c1222, sentAt),
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
