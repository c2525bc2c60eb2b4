import type { TableRange } from "../../c1219/table-index.ts";
import { equalOctets } from "../../ports/octets.ts";
import { responseCode } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import { identified, okResponse, type Response, refusal } from "../services/response.ts";
import { PASSWORD_OCTETS } from "../services/security.ts";
import { type LogonSession, type Logons, logons } from "./logons.ts";

/** Tables of a node: octets as they stand in the standard's layout. */
export interface ServerTables {
  /** A whole table; undefined: there is none. */
  read(id: number): Uint8Array | undefined;
  /** False: the node has no access by offset. */
  readonly offsets?: boolean;
  /** Octets of a table, where the whole need not be made for them. */
  part?(id: number, offset: number, count: number): Uint8Array | undefined;
  /** Writes at an offset (undefined: the whole table); answers a response code's short name, `ok` where it was done. */
  write?(id: number, offset: number | undefined, data: Uint8Array): string;
  /** The octets that an index names; absent: the node has no access by index. Undefined: no such element. */
  rangeOfIndex?(id: number, index: readonly number[], count: number): TableRange | undefined;
}

export interface MessageFacts {
  readonly securityMode: 0 | 1 | 2;
  /** Whom a password of the same message proved. */
  readonly userId: number | undefined;
  /** Absolute calling title: with the node's own it is the session's name. */
  readonly callingTitle: string;
  /** Own clock, clock milliseconds. */
  readonly now: number;
}

/** Somebody who may use a node. */
export interface ServerUser {
  /** As Logon has it, without the blanks. */
  readonly name: string;
  /** 20 octets. */
  readonly password: Uint8Array;
  readonly access: "read" | "write";
}

export interface ServiceDeskOptions {
  readonly tables: ServerTables;
  /** Users, by id, that have to say a password before tables are served; undefined: nobody has to. */
  readonly users?: ReadonlyMap<number, ServerUser>;
  /** How many sessions there may be at once (0: none), and whether tables are served outside of them. */
  readonly sessions?: { readonly most: number; readonly sessionless: boolean };
}

const CIPHERED = 2;
const NO_SESSIONS = { most: 0, sessionless: true } as const;

/** What a node does with one service. */
export interface ServiceDesk {
  serve(request: Request, message: MessageFacts): Response;
}

export function serviceDesk(options: ServiceDeskOptions): ServiceDesk {
  const { tables, users } = options;
  const sessions = options.sessions ?? NO_SESSIONS;
  const open: Logons = logons(sessions.most);
  return {
    serve(request, message) {
      const session = open.of(message);
      switch (request.service) {
        case "identification":
          return identified(sessions.most, sessions.sessionless);
        case "logon":
          return open.logon(request, message, users);
        case "security":
          return secured(request, message, session, users);
        case "logoff":
          return session === undefined ? refusal(responseCode("isss")) : open.end(message);
        case "terminate":
        case "disconnect":
          return open.end(message);
        case "wait":
          return open.wait(request.seconds, message);
      }
      const userId = session === undefined ? message.userId : session.secured ? session.userId : undefined;
      if (session === undefined && !sessions.sessionless) return refusal(responseCode("isss"));
      if (users !== undefined && userId === undefined) return refusal(responseCode("isc"));
      const mayWrite = users === undefined || users.get(userId ?? -1)?.access === "write";
      return tableService(tables, request, mayWrite);
    },
  };
}

/** A password is never taken where somebody may have read it on the way. */
function secured(
  { userId, password }: Extract<Request, { readonly service: "security" }>,
  { securityMode }: MessageFacts,
  session: LogonSession | undefined,
  users: ServiceDeskOptions["users"],
): Response {
  const who = session?.userId ?? userId;
  // Within a session it is known who speaks, and outside it has to be said.
  if (securityMode !== CIPHERED || (session === undefined) !== (userId !== undefined))
    return refusal(responseCode("isc"));
  const known = who === undefined ? undefined : users?.get(who)?.password;
  if (known?.length !== PASSWORD_OCTETS || !equalOctets(known, password)) return refusal(responseCode("isc"));
  if (session !== undefined) session.secured = true;
  return okResponse();
}

const data = (octets: Uint8Array | undefined): Response =>
  octets === undefined ? refusal(responseCode("iar")) : okResponse({ kind: "data", data: octets });
const written = (code: string | undefined): Response =>
  code === undefined ? refusal(responseCode("iar")) : code === "ok" ? okResponse() : refusal(responseCode(code));

function partOf(tables: ServerTables, id: number, { offset, length }: TableRange): Response {
  const part = tables.part?.(id, offset, length);
  if (part !== undefined) return data(part);
  const whole = tables.read(id);
  if (whole !== undefined && offset + length > whole.length) return refusal(responseCode("iar"));
  return data(whole?.subarray(offset, offset + length));
}

function tableService(tables: ServerTables, request: Request, mayWrite: boolean): Response {
  switch (request.service) {
    case "fullRead":
      return data(tables.read(request.tableId));
    case "partialReadOffset":
      if (tables.offsets === false) return refusal(responseCode("sns"));
      return partOf(tables, request.tableId, { offset: request.offset, length: request.octetCount });
    case "partialReadIndex": {
      if (tables.rangeOfIndex === undefined) return refusal(responseCode("sns"));
      const range = tables.rangeOfIndex(request.tableId, request.index, request.elementCount);
      return range === undefined ? refusal(responseCode("iar")) : partOf(tables, request.tableId, range);
    }
    case "fullWrite":
      return mayWrite
        ? written(tables.write?.(request.tableId, undefined, request.data))
        : refusal(responseCode("isc"));
    case "partialWriteOffset":
      if (tables.offsets === false) return refusal(responseCode("sns"));
      return mayWrite
        ? written(tables.write?.(request.tableId, request.offset, request.data))
        : refusal(responseCode("isc"));
    case "partialWriteIndex": {
      if (tables.rangeOfIndex === undefined) return refusal(responseCode("sns"));
      if (!mayWrite) return refusal(responseCode("isc"));
      const range = tables.rangeOfIndex(request.tableId, request.index, 1);
      if (range === undefined || request.data.length < range.length) return refusal(responseCode("iar"));
      return written(tables.write?.(request.tableId, range.offset, request.data));
    }
    default:
      return refusal(responseCode("sns"));
  }
}
