import { STANDARD_EVENTS } from "../../c1219/event-codes.ts";
import { genConfigOf } from "../../c1219/gen-config.ts";
import { PROCEDURE_INITIATE_TABLE, procedureRequestOf, STANDARD_PROCEDURE } from "../../c1219/procedure.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { EVENTS, type EventName } from "../../metering/event-catalogue.ts";
import { SessionError } from "../../metering/failure.ts";
import type { GroupMember } from "../../metering/group.ts";
import type { OperationResult } from "../../metering/result.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext, AE_QUALIFIER, unsignedOf } from "../a-context.ts";
import { absoluteTitle, sameTitle } from "../ap-title.ts";
import { enrolledKey, SECURITY_MODES } from "../client/enrolled-key.ts";
import { conversationError } from "../client/exchange.ts";
import { readClock } from "../client/meter-clock.ts";
import { readRegisters } from "../client/read-registers.ts";
import { TableReader } from "../client/table-reader.ts";
import { readPayload } from "../epsem.ts";
import { responseCode } from "../response-code.ts";
import type { PlaybackGuard } from "../security/playback.ts";
import { openApdu } from "../security/secured-apdu.ts";
import { decodeRequest, type Request } from "../services/request.ts";
import { okResponse, type Response, refusal } from "../services/response.ts";

/** A table, or a part of it, as a node wrote it to its notification host. */
export interface PushedTable {
  readonly tableId: number;
  /** Undefined: the whole table. */
  readonly offset: number | undefined;
  readonly index: readonly number[] | undefined;
  readonly data: Uint8Array;
}

/** An exception that a node reports by writing procedure 26. What is no event of the standard is `unknown`. */
export interface ExceptionReport {
  /** Decimal. */
  readonly code: string;
  readonly event: EventName;
  readonly isAlarm: boolean;
  readonly parameters: Uint8Array;
}

export interface Notification {
  /** Absolute. */
  readonly title: string;
  /** With title and key it makes the message known again: stored with what the message brings. */
  readonly invocationId: number;
  /** Undefined: it came in clear. Then it proves nothing, and is a hint to ask the meter, no more. */
  readonly keyId: number | undefined;
  /** When the meter says that it sent it, clock milliseconds; undefined: in clear. */
  readonly sentAt: number | undefined;
  readonly edClass: Uint8Array | undefined;
  readonly isTest: boolean;
  readonly isUrgent: boolean;
  readonly tables: readonly PushedTable[];
  readonly exceptions: readonly ExceptionReport[];
  /** What the tables say, where all that their layouts depend on came along. */
  readonly registers: OperationResult["registers"];
}

export interface NotificationPorts {
  readonly crypto: Crypto;
  /** Clock milliseconds. */
  readonly now: number;
  readonly guard: Pick<PlaybackGuard, "judge">;
}

/** Who a message says it is from; undefined: no request to one of these titles. Not verified. */
export function notifierOf(apdu: AContext, ownTitles: readonly string[]): string | undefined {
  const { calledApTitle: called, calledApInvocationId, callingApTitle: from } = apdu;
  if (calledApInvocationId !== undefined || called === undefined || from === undefined) return undefined;
  return ownTitles.some((own) => sameTitle(own, called)) ? absoluteTitle(from) : undefined;
}

/**
 * Opens what a node sent by itself: verified under its own key, in no weaker mode than its profile's, fresh, and of writes
 * alone. Rejects with `SessionError`: `c1222.bad-mac` …, `c1222.played-back`, `c1222.late`, `c1222.other-title`,
 * `c1222.malformed-answer`. A message in clear is opened too, and has no key.
 */
export async function openNotification(
  octets: Uint8Array,
  { title, profile, keys }: GroupMember,
  { crypto, now, guard }: NotificationPorts,
): Promise<Notification> {
  if (profile.protocol !== "c1222")
    throw new SessionError("internal", "c1222.profile", `expected a C12.22 device profile, got ${profile.name}`);
  try {
    const apdu = decode(AContext, octets);
    if (apdu.callingApTitle === undefined || !sameTitle(apdu.callingApTitle, title))
      throw new SessionError("auth", "c1222.other-title", "the notification comes under another title");
    const { access } = profile.c1222;
    const key = enrolledKey(access, keys, crypto);
    const opened = openApdu(apdu, (id) => (id === key?.id ? key.eaxPrime : undefined));
    if (opened.kind === "closed")
      throw new SessionError("auth", opened.code, "the notification does not verify under the meter's enrolled key");
    const { authentication, control } = opened;
    if (authentication !== undefined) {
      if (control.securityMode < SECURITY_MODES[access.security])
        throw new SessionError(
          "auth",
          "c1222.security-mode",
          "the notification is less protected than its profile says",
        );
      const freshness = guard.judge(now, apdu, authentication);
      if (freshness === "repeated") throw new SessionError("auth", "c1222.played-back", "the notification came before");
      if (freshness === "late")
        throw new SessionError("auth", "c1222.late", "the notification is from outside of the acceptance window");
    }
    const { edClass, services } = readPayload(opened.payload, control.edClassIncluded);
    const tables = services.map((service) => pushedTable(decodeRequest(service)));
    const qualifier = unsignedOf(apdu.callingAeQualifier ?? new Uint8Array(0));
    const proved = authentication !== undefined;
    return {
      title: absoluteTitle(title),
      invocationId: unsignedOf(apdu.callingApInvocationId),
      keyId: authentication?.keyId,
      sentAt: authentication === undefined ? undefined : authentication.iv * 1000,
      edClass,
      isTest: (qualifier & AE_QUALIFIER.test) !== 0,
      isUrgent: (qualifier & AE_QUALIFIER.urgent) !== 0,
      tables,
      exceptions: exceptionsOf(tables),
      registers: proved ? await registersOf(profile.c1222, tables, now) : [],
    };
  } catch (error) {
    throw error instanceof WireError ? conversationError(error, true) : error;
  }
}

function pushedTable(request: Request): PushedTable {
  switch (request.service) {
    case "fullWrite":
      return { tableId: request.tableId, offset: undefined, index: undefined, data: request.data };
    case "partialWriteOffset":
      return { tableId: request.tableId, offset: request.offset, index: undefined, data: request.data };
    case "partialWriteIndex":
      return { tableId: request.tableId, offset: undefined, index: request.index, data: request.data };
    default:
      throw new SessionError("protocol", "c1222.no-notification", `expected writes, got ${request.service}`);
  }
}

const isWhole = ({ offset, index }: PushedTable): boolean => offset === undefined && index === undefined;
const wholeOf = (tables: readonly PushedTable[], id: number): Uint8Array | undefined =>
  tables.find((one) => one.tableId === id && isWhole(one))?.data;

/** Octets in the order of the node's table 0, where it came along; else little-endian, as the one published sample is. */
function exceptionsOf(tables: readonly PushedTable[]): readonly ExceptionReport[] {
  const config = genConfigOf(wholeOf(tables, 0) ?? Uint8Array.of(0, 0, 0));
  if (config === undefined) return [];
  return tables
    .filter((one) => one.tableId === PROCEDURE_INITIATE_TABLE && isWhole(one))
    .flatMap(({ data }) => {
      const { number, manufacturer, parameters } = procedureRequestOf(data, config);
      if (number !== STANDARD_PROCEDURE.exceptionReport || manufacturer || parameters.length < 2) return [];
      const [first = 0, second = 0] = config.dataOrder === "little" ? parameters : [parameters[1], parameters[0]];
      const bits = first | (second << 8);
      const isStandard = (bits & 0x0800) === 0;
      const event: EventName = (isStandard ? STANDARD_EVENTS[bits & 0x07ff] : undefined) ?? "unknown";
      const isAlarm = EVENTS[event].severity === "alarm";
      return [{ code: String(bits & 0x0fff), event, isAlarm, parameters: parameters.slice(2) }];
    });
}

/** Registers of the tables that came whole, with all that their layouts depend on. */
async function registersOf(
  profile: C1222Profile["c1222"],
  tables: readonly PushedTable[],
  now: number,
): Promise<OperationResult["registers"]> {
  if (wholeOf(tables, 0) === undefined) return [];
  const missing = responseCode("iar");
  const serve = (request: Request): Response => {
    const data = request.service === "fullRead" ? wholeOf(tables, request.tableId) : undefined;
    return data === undefined ? refusal(missing) : okResponse({ kind: "data", data });
  };
  const reader = new TableReader({ ask: async (requests) => requests.map(serve) }, profile, () => []);
  await reader.begin();
  const registers: OperationResult["registers"][number][] = [];
  for (const [table, wanted] of Map.groupBy(profile.registers, (register) => register.table)) {
    if (wholeOf(tables, table) === undefined) continue;
    try {
      const read = await readRegisters(reader, wanted, () => readClock(reader, profile, () => now));
      registers.push(...read.registers);
    } catch (error) {
      // What its layout depends on did not come along: the octets are kept, and nothing is guessed.
      if (!(error instanceof SessionError) || error.code !== "c1222.limits-refused") throw error;
    }
  }
  return registers;
}
