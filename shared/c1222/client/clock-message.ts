import type { GenConfig } from "../../c1219/gen-config.ts";
import {
  PROCEDURE_INITIATE_TABLE,
  PROCEDURE_RESPONSE_TABLE,
  PROCEDURE_RESULT,
  procedureRequestOctets,
  procedureResponseOf,
  STANDARD_PROCEDURE,
} from "../../c1219/procedure.ts";
import { writeTable } from "../../c1219/table-layout.ts";
import { readTime, timeOctets } from "../../c1219/time.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { OperationResult } from "../../metering/result.ts";
import { Reader } from "../../wire/reader.ts";
import { OK } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { SET_DATE_TIME } from "./set-clock.ts";
import { dataOf, failureOf } from "./table-reader.ts";

/** Setting the clock by one message: nothing is read before it. */

type Profile = C1222Profile["c1222"];

/** As GEN_CONFIG says it of the model. */
export interface TimeForm {
  readonly dataOrder: "little" | "big";
  readonly format: number;
}
/** `at`: the time to be set, clock ms; its sequence number comes from the invocation id. */
export interface ClockRequest {
  readonly at: number;
  readonly invocationId: number;
}

const configOf = ({ dataOrder, format }: TimeForm): GenConfig => ({
  dataOrder,
  timeFormat: format as GenConfig["timeFormat"],
  charFormat: 1,
  dataAccessMethod: 0,
  idForm: 0,
  intFormat: 0,
  niFormat1: 0,
  niFormat2: 0,
});

/** Set date and time, with the answer to it: only where one instant is the same wall time for all members. */
export function setClockRequests(
  profile: Profile,
  time: TimeForm,
  { at, invocationId }: ClockRequest,
): readonly Request[] {
  const config = configOf(time);
  const procedure = profile.clockSetting?.procedure;
  if (procedure?.number !== STANDARD_PROCEDURE.setDateTime || procedure.manufacturer || profile.localTime !== undefined)
    throw new SessionError(
      "unsupported",
      "c1222.no-group-time",
      "time by one message takes the standard's procedure, and a meter that keeps UTC",
    );
  const parameters = writeTable(
    SET_DATE_TIME,
    { config, tables: [] },
    {
      SET_MASK: { SET_TIME_FLAG: true, SET_DATE_FLAG: true, SET_TIME_DATE_QUAL: false },
      CLOCK_CALENDAR: Math.floor(at / 1000) * 1000,
      TIME_DATE_QUAL: {},
    },
  );
  const data = procedureRequestOctets({ ...procedure, selector: 0, sequence: invocationId & 0xff, parameters }, config);
  return [
    { service: "fullWrite", tableId: PROCEDURE_INITIATE_TABLE, data },
    { service: "fullRead", tableId: PROCEDURE_RESPONSE_TABLE },
  ];
}

/** What the answer says of it. Throws `SessionError`. */
export function clockSetResult(time: TimeForm, request: ClockRequest, responses: readonly Response[]): OperationResult {
  const config = configOf(time);
  for (const [at, response] of responses.entries()) {
    const failure = failureOf(at === 0 ? "the time" : "the procedure's result", response);
    if (failure !== undefined) throw failure;
  }
  const [written, result] = responses;
  const none = { registers: [], intervals: [] };
  const refused = (code: string): OperationResult => ({ ...none, refusals: [{ item: "clock", code }] });
  const table8 = result === undefined ? undefined : dataOf(result);
  if (written?.code !== OK || table8 === undefined || table8.kind === "refused")
    return refused(table8?.kind === "refused" ? table8.code : "c1222.err");
  const { number, manufacturer, sequence, resultCode, data } = procedureResponseOf(table8.octets, config);
  const ours = number === STANDARD_PROCEDURE.setDateTime && !manufacturer && sequence === (request.invocationId & 0xff);
  if (!ours)
    throw new SessionError("protocol", "c1222.procedure-answer", "table 8 answers another procedure", {
      retry: "later",
    });
  if (resultCode !== PROCEDURE_RESULT.completed) return refused(`procedure.${resultCode}`);
  const times = timesOf(data, config);
  return { ...none, refusals: [], ...(times === undefined ? {} : { clockSet: differences(times, request.at) }) };
}

/** Old and new time of the meter, where the answer to the procedure has them. */
function timesOf(data: Uint8Array, config: GenConfig): readonly [number, number] | undefined {
  if (data.length !== 2 * timeOctets("LTIME_DATE", config)) return undefined;
  const source = new Reader(data);
  const [before, after] = [readTime(source, "LTIME_DATE", config), readTime(source, "LTIME_DATE", config)];
  return before === null || after === null ? undefined : [before, after];
}

const differences = ([before, after]: readonly [number, number], at: number) => ({
  beforeMs: before - at,
  afterMs: after - at,
});
