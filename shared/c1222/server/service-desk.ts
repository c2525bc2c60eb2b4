import { equalOctets } from "../../ports/octets.ts";
import { responseCode } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import { okResponse, type Response, refusal } from "../services/response.ts";
import { PASSWORD_OCTETS } from "../services/security.ts";

/** Tables of a node: octets as they stand in the standard's layout. */
export interface ServerTables {
  /** A whole table; undefined: there is none. */
  read(id: number): Uint8Array | undefined;
  /** Octets of a table, where the whole need not be made for them. */
  part?(id: number, offset: number, count: number): Uint8Array | undefined;
  /** Writes at an offset; answers a response code's short name, `ok` where it was done. */
  write?(id: number, offset: number | undefined, data: Uint8Array): string;
}

export interface MessageFacts {
  readonly securityMode: 0 | 1 | 2;
  /** Whom a password of the same message proved. */
  readonly userId: number | undefined;
}

export interface ServiceDeskOptions {
  readonly tables: ServerTables;
  /** Users that have to say a password before tables are served; undefined: nobody has to. */
  readonly passwords?: ReadonlyMap<number, Uint8Array>;
}

const CIPHERED = 2;

/** What a node does with one service. */
export interface ServiceDesk {
  serve(request: Request, message: MessageFacts): Response;
}

export function serviceDesk({ tables, passwords }: ServiceDeskOptions): ServiceDesk {
  const data = (octets: Uint8Array | undefined): Response =>
    octets === undefined ? refusal(responseCode("iar")) : okResponse({ kind: "data", data: octets });
  const written = (code: string | undefined): Response =>
    code === undefined ? refusal(responseCode("iar")) : code === "ok" ? okResponse() : refusal(responseCode(code));
  return {
    serve(request, message) {
      switch (request.service) {
        case "identification":
          return okResponse({
            kind: "identification",
            standard: 3,
            version: 1,
            revision: 0,
            features: [{ feature: "sessionControl", sessions: 0, sessionless: true }],
          });
        case "security": {
          if (message.securityMode !== CIPHERED) return refusal(responseCode("isc"));
          const known = request.userId === undefined ? undefined : passwords?.get(request.userId);
          if (known === undefined || known.length !== PASSWORD_OCTETS) return refusal(responseCode("isc"));
          return equalOctets(known, request.password) ? okResponse() : refusal(responseCode("isc"));
        }
        case "logon":
        case "logoff":
        case "terminate":
        case "disconnect":
        case "wait":
          return refusal(responseCode("isss")); // no sessions: each message stands alone
      }
      if (passwords !== undefined && message.userId === undefined) return refusal(responseCode("isc"));
      switch (request.service) {
        case "fullRead":
          return data(tables.read(request.tableId));
        case "partialReadOffset": {
          const { tableId, offset, octetCount } = request;
          const part = tables.part?.(tableId, offset, octetCount);
          if (part !== undefined) return data(part);
          const whole = tables.read(tableId);
          if (whole !== undefined && offset + octetCount > whole.length) return refusal(responseCode("iar"));
          return data(whole?.subarray(offset, offset + octetCount));
        }
        case "fullWrite":
          return written(tables.write?.(request.tableId, undefined, request.data));
        case "partialWriteOffset":
          return written(tables.write?.(request.tableId, request.offset, request.data));
        default:
          return refusal(responseCode("sns"));
      }
    },
  };
}
