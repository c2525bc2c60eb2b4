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
import {
  GROUP_INVOCATION_ID_MAX,
  GROUP_INVOCATION_IDS,
  type GroupOperation,
  type GroupProtocol,
  type GroupRequest,
} from "../../metering/group.ts";
import type { DeviceProfile } from "../../metering/profile.ts";
import type { OperationResult } from "../../metering/result.ts";
import { decode } from "../../wire/codec.ts";
import { Reader } from "../../wire/reader.ts";
import { WireError } from "../../wire/wire-error.ts";
import { Writer } from "../../wire/writer.ts";
import { AContext, NO_ELEMENTS, unsignedOf } from "../a-context.ts";
import { absoluteTitle } from "../ap-title.ts";
import { epsemControl, RESPONSE_CONTROL, writePayload } from "../epsem.ts";
import { OK } from "../response-code.ts";
import { securedApdu } from "../security/secured-apdu.ts";
import { encodeRequest, type Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { enrolledKey, readyKey, SECURITY_MODES } from "./enrolled-key.ts";
import { conversationError } from "./exchange.ts";
import { readClock } from "./meter-clock.ts";
import { openAnswer } from "./open-answer.ts";
import { readIntervals } from "./read-intervals.ts";
import { readRegisters, wantedRegisters } from "./read-registers.ts";
import { SET_DATE_TIME } from "./set-clock.ts";
import { dataOf, failureOf, type Refusal, TableReader } from "./table-reader.ts";

type Profile = C1222Profile["c1222"];
type Reads = Exclude<GroupOperation, { readonly kind: "imageBlock" | "setClock" }>;

const GEN_CONFIG = 0;
const LOAD_PROFILE_STATUS = 63;

const unsupported = (code: string, message: string): SessionError => new SessionError("unsupported", code, message);

function c1222Of(profile: DeviceProfile): Profile {
  if (profile.protocol !== "c1222" || profile.c1222.groups === undefined)
    throw unsupported("c1222.no-groups", `the model of profile ${profile.name} takes no requests to groups`);
  return profile.c1222;
}

const registersOf = (profile: Profile, operation: Reads) => {
  switch (operation.kind) {
    case "readRegisters":
      return wantedRegisters(profile, operation.measurements);
    case "readVoltage": {
      const voltages = profile.registers.filter(({ measurement }) => measurement.startsWith("voltage."));
      return { registers: voltages, refusals: [] };
    }
    case "readIntervals":
      return operation.registers === undefined
        ? { registers: [], refusals: [] }
        : wantedRegisters(profile, operation.registers);
  }
};

/** Whole tables that a read needs, those that others are laid out by before them: nothing can be asked afterwards. */
function tablesOf(profile: Profile, operation: Reads): readonly number[] {
  const layouts = new TableReader({ ask: async () => [] }, profile, () => []);
  const { registers } = registersOf(profile, operation);
  const wanted = registers.map(({ table }) => table);
  const sets = operation.kind === "readIntervals" ? profile.loadProfiles.map(({ set }) => 63 + set) : [];
  if (sets.length > 0) wanted.push(LOAD_PROFILE_STATUS, ...sets);
  if (sets.length > 0 || registers.some(({ capturedAt }) => capturedAt !== undefined)) wanted.push(profile.clock);
  const limits = new Set<number>();
  const collect = (id: number): void => {
    for (const used of layouts.layout(id).uses)
      if (!limits.has(used)) {
        limits.add(used);
        collect(used);
      }
  };
  for (const id of wanted) collect(id);
  const first = [...limits].sort((left, right) => left - right).filter((id) => id !== GEN_CONFIG);
  return [GEN_CONFIG, ...first, ...new Set(wanted.filter((id) => id !== GEN_CONFIG && !limits.has(id)))];
}

const timeConfig = ({ groups }: Profile): GenConfig => {
  if (groups?.time === undefined)
    throw unsupported("c1222.no-group-time", "the device profile does not say how members of a group take time");
  const { dataOrder, format: timeFormat } = groups.time;
  const rest = { charFormat: 1, dataAccessMethod: 0, idForm: 0, intFormat: 0, niFormat1: 0, niFormat2: 0 };
  return { dataOrder, timeFormat, ...rest };
};

/** Set date and time, with the answer to it: only where one instant is the same wall time for all members. */
function setClock(profile: Profile, { at, invocationId }: GroupRequest): readonly Request[] {
  const config = timeConfig(profile);
  const procedure = profile.clockSetting?.procedure;
  if (procedure?.number !== STANDARD_PROCEDURE.setDateTime || procedure.manufacturer || profile.localTime !== undefined)
    throw unsupported("c1222.no-group-time", "members of a group take time by the standard's procedure, in UTC");
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

/** The services of a request: what is not listed here has no way to a group. */
function servicesOf(profile: Profile, request: GroupRequest): readonly Request[] {
  const { operation } = request;
  switch (operation.kind) {
    case "readRegisters":
    case "readVoltage":
    case "readIntervals":
      return tablesOf(profile, operation).map((tableId) => ({ service: "fullRead", tableId }));
    case "setClock":
      return setClock(profile, request);
    case "imageBlock": {
      const tableId = profile.groups?.imageTable;
      if (tableId === undefined)
        throw unsupported("c1222.no-group-image", "the device profile names no table for blocks of images");
      return [{ service: "partialWriteOffset", tableId, offset: operation.offset, data: operation.octets }];
    }
    default: {
      const { kind } = operation as { readonly kind: string };
      throw new SessionError("unsafe", "group.operation", `a group's key does not authorise ${kind}`);
    }
  }
}

const isAnswered = ({ kind }: GroupOperation): boolean => kind !== "imageBlock";

function compose(
  profile: DeviceProfile,
  request: GroupRequest,
  key: { readonly id: number; readonly hex: string },
  crypto: Parameters<GroupProtocol["compose"]>[3],
): Uint8Array {
  const c1222 = c1222Of(profile);
  const { access } = c1222;
  const services = servicesOf(c1222, request).map(encodeRequest);
  if (access.security === "clear")
    throw new SessionError("unsafe", "group.clear", "a request to a group is never sent in clear");
  if (access.userId !== undefined)
    throw unsupported("group.password", "members that ask for a password take no requests to groups");
  const { invocationId, at } = request;
  if (!(invocationId >= GROUP_INVOCATION_IDS && invocationId <= GROUP_INVOCATION_ID_MAX))
    throw new SessionError("internal", "group.invocation-id", `expected an id of group requests, got ${invocationId}`);
  const id = new Writer();
  id.unsigned32(invocationId);
  return securedApdu(
    readyKey(crypto, key.id, key.hex, "a group's key").eaxPrime,
    { keyId: key.id, iv: Math.floor(at / 1000) },
    {
      ...NO_ELEMENTS,
      calledApTitle: request.groupTitle,
      callingApTitle: access.callingApTitle,
      callingApInvocationId: id.done(),
    },
    epsemControl({
      securityMode: SECURITY_MODES[access.security],
      responseControl: isAnswered(request.operation) ? RESPONSE_CONTROL.always : RESPONSE_CONTROL.never,
    }),
    writePayload({ edClass: undefined, services }),
  );
}

/** Serves a table reader out of one answer: what was not in the request cannot be had. */
function answered(
  requests: readonly Request[],
  responses: readonly Response[],
): ConstructorParameters<typeof TableReader>[0] {
  const whole = (tableId: number): Response => {
    const at = requests.findIndex((request) => request.service === "fullRead" && request.tableId === tableId);
    const response = responses[at];
    if (response === undefined)
      throw new SessionError("protocol", "c1222.answers", `expected table ${tableId} in the answer to the group`);
    return response;
  };
  const serve = (request: Request): Response => {
    if (request.service === "fullRead") return whole(request.tableId);
    if (request.service !== "partialReadOffset")
      throw new SessionError("internal", "group.service", `expected a read, got ${request.service}`);
    const { code, body } = whole(request.tableId);
    if (code !== OK || body.kind !== "data") return { code, body };
    const data = body.data.subarray(request.offset, request.offset + request.octetCount);
    return { code, body: { kind: "data", data } };
  };
  return { ask: async (asked) => asked.map(serve) };
}

function clockSet(profile: Profile, request: GroupRequest, responses: readonly Response[]): OperationResult {
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
  const { number, manufacturer, sequence, resultCode, data } = procedureResponseOf(table8.octets, timeConfig(profile));
  const ours = number === STANDARD_PROCEDURE.setDateTime && !manufacturer && sequence === (request.invocationId & 0xff);
  if (!ours)
    throw new SessionError("protocol", "c1222.procedure-answer", "table 8 answers another procedure", {
      retry: "later",
    });
  if (resultCode !== PROCEDURE_RESULT.completed) return refused(`procedure.${resultCode}`);
  const times = timesOf(data, timeConfig(profile));
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

async function resultOf(
  profile: Profile,
  request: GroupRequest,
  requests: readonly Request[],
  responses: readonly Response[],
): Promise<OperationResult> {
  const { operation } = request;
  if (operation.kind === "imageBlock") throw unsupported("group.no-answer", "members answer no blocks of images");
  if (operation.kind === "setClock") return clockSet(profile, request, responses);
  const reader = new TableReader(answered(requests, responses), profile, () => []);
  await reader.begin();
  await reader.prepare([profile.clock]);
  const clock = () => readClock(reader, profile, () => request.at);
  const refusals: Refusal[] = [];
  const intervals: OperationResult["intervals"][number][] = [];
  if (operation.kind === "readIntervals") {
    const { shown = request.at, ...instants } = await clock();
    for (const one of profile.loadProfiles) {
      const read = await readIntervals(reader, one, { shown, ...instants }, shown, operation.range);
      if (read.intervals !== undefined) intervals.push(read.intervals);
      refusals.push(...read.refusals);
    }
  }
  const wanted = registersOf(profile, operation);
  const read = await readRegisters(reader, wanted.registers, clock);
  return { registers: read.registers, intervals, refusals: [...refusals, ...wanted.refusals, ...read.refusals] };
}

/** Requests to C12.22 groups: one APDU under the group's key, answers under each member's own. */
export const c1222Groups: GroupProtocol = {
  protocol: "c1222",
  spreadMs(profile) {
    const groups = profile.protocol === "c1222" ? profile.c1222.groups : undefined;
    return groups === undefined ? undefined : groups.answersWithinSeconds * 1000;
  },
  isAnswered,
  compose,
  whose(octets) {
    try {
      const { calledApInvocationId, callingApTitle } = decode(AContext, octets);
      if (calledApInvocationId === undefined || callingApTitle === undefined) return undefined;
      const invocationId = unsignedOf(calledApInvocationId);
      return invocationId < GROUP_INVOCATION_IDS || invocationId > GROUP_INVOCATION_ID_MAX
        ? undefined
        : { title: absoluteTitle(callingApTitle), invocationId };
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  },
  async open(octets, { title, profile, keys }, request, crypto) {
    const c1222 = c1222Of(profile);
    const { access } = c1222;
    try {
      const answer = decode(AContext, octets);
      const asked = answer.calledApInvocationId;
      if (asked === undefined || unsignedOf(asked) !== request.invocationId)
        throw new SessionError("auth", "c1222.other-request", "the answer is to another request");
      const requests = servicesOf(c1222, request);
      const responses = openAnswer(
        answer,
        {
          meterTitle: title,
          ownTitle: access.callingApTitle,
          securityMode: SECURITY_MODES[access.security],
          key: enrolledKey(access, keys, crypto),
        },
        requests,
      );
      return await resultOf(c1222, request, requests, responses);
    } catch (error) {
      throw error instanceof WireError ? conversationError(error, true) : error;
    }
  },
};
