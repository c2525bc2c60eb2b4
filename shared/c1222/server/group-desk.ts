import type { GenConfig } from "../../c1219/gen-config.ts";
import { PROCEDURE_INITIATE_TABLE, procedureRequestOf, STANDARD_PROCEDURE } from "../../c1219/procedure.ts";
import { WireError } from "../../wire/wire-error.ts";
import { responseCode } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import { refusal } from "../services/response.ts";
import type { ServiceDesk } from "./service-desk.ts";

export interface GroupRules {
  /** How the node's tables are laid out. */
  readonly config: () => GenConfig;
  /** Table that takes blocks of signed images; undefined: none does. */
  readonly imageTable: number | undefined;
}

const READS: ReadonlySet<Request["service"]> = new Set([
  "fullRead",
  "partialReadIndex",
  "partialReadOffset",
  "defaultRead",
  "identification",
]);

function setsTime(data: Uint8Array, config: GenConfig): boolean {
  try {
    const { number, manufacturer } = procedureRequestOf(data, config);
    return number === STANDARD_PROCEDURE.setDateTime && !manufacturer;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

const SESSION: ReadonlySet<Request["service"]> = new Set(["logon", "security", "logoff", "terminate", "disconnect"]);

/** What a node does with a service whose message its clock takes for a late one: sessions, reads and time. */
export function recoveryDesk(desk: ServiceDesk, config: GroupRules["config"]): ServiceDesk {
  const { serve } = groupDesk(desk, { config, imageTable: undefined });
  return { serve: (request, message) => (SESSION.has(request.service) ? desk : { serve }).serve(request, message) };
}

/** What a node does with a service under a group's key: reads, time and blocks of signed images; all else is refused. */
export function groupDesk(desk: ServiceDesk, { config, imageTable }: GroupRules): ServiceDesk {
  const isAllowed = (request: Request): boolean => {
    if (READS.has(request.service)) return true;
    if (request.service === "fullWrite")
      return request.tableId === PROCEDURE_INITIATE_TABLE && setsTime(request.data, config());
    return request.service === "partialWriteOffset" && imageTable !== undefined && request.tableId === imageTable;
  };
  return {
    ...desk,
    serve: (request, message) => (isAllowed(request) ? desk.serve(request, message) : refusal(responseCode("isc"))),
  };
}
