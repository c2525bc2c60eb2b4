import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import type { OperationResult } from "../../metering/result.ts";
import { OK } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { readClock } from "./meter-clock.ts";
import { readEvents } from "./read-events.ts";
import { readIntervals } from "./read-intervals.ts";
import { readRegisters, wantedRegisters } from "./read-registers.ts";
import { type Refusal, TableReader } from "./table-reader.ts";

/** Reads that are one message and one answer: for whoever cannot be asked a second time. */

type Profile = C1222Profile["c1222"];
type Kind = "readRegisters" | "readVoltage" | "readIntervals" | "readEvents";
export type OneMessageRead = Extract<Operation, { readonly kind: Kind }>;

const GEN_CONFIG = 0;
const LOAD_PROFILE_STATUS = 63;

const registersOf = (profile: Profile, operation: OneMessageRead) => {
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
    case "readEvents":
      return { registers: [], refusals: [] };
  }
};

const logsOf = ({ logs }: Profile) => {
  if (logs === undefined) throw new SessionError("unsupported", "profile.no-logs", "the device profile has no logs");
  return logs;
};

/** Whole tables that a read needs, those that others are laid out by before them: nothing can be asked afterwards. */
export function tablesOf(profile: Profile, operation: OneMessageRead): readonly number[] {
  const layouts = new TableReader({ ask: async () => [] }, profile, () => []);
  const { registers } = registersOf(profile, operation);
  const wanted = registers.map(({ table }) => table);
  const sets = operation.kind === "readIntervals" ? profile.loadProfiles.map(({ set }) => 63 + set) : [];
  const logs = operation.kind === "readEvents" ? logsOf(profile).map(({ table }) => table) : [];
  if (sets.length > 0) wanted.push(LOAD_PROFILE_STATUS, ...sets);
  wanted.push(...logs);
  if (sets.length + logs.length > 0 || registers.some(({ capturedAt }) => capturedAt !== undefined))
    wanted.push(profile.clock);
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

export const readsOf = (profile: Profile, operation: OneMessageRead): readonly Request[] =>
  tablesOf(profile, operation).map((tableId) => ({ service: "fullRead", tableId }));

/** Serves a table reader out of one answer: what was not in the request cannot be had. */
function answered(
  requests: readonly Request[],
  responses: readonly Response[],
): ConstructorParameters<typeof TableReader>[0] {
  const whole = (tableId: number): Response => {
    const at = requests.findIndex((request) => request.service === "fullRead" && request.tableId === tableId);
    const response = responses[at];
    if (response === undefined)
      throw new SessionError("protocol", "c1222.answers", `expected table ${tableId} in the one message`);
    return response;
  };
  const serve = (request: Request): Response => {
    if (request.service === "fullRead") return whole(request.tableId);
    if (request.service !== "partialReadOffset")
      throw new SessionError("internal", "c1222.service", `expected a read, got ${request.service}`);
    const { code, body } = whole(request.tableId);
    if (code !== OK || body.kind !== "data") return { code, body };
    const data = body.data.subarray(request.offset, request.offset + request.octetCount);
    return { code, body: { kind: "data", data } };
  };
  return { ask: async (asked) => asked.map(serve) };
}

/** A reader of the tables that one message brought, begun. */
export async function readerOf(
  profile: Profile,
  requests: readonly Request[],
  responses: readonly Response[],
): Promise<TableReader> {
  const reader = new TableReader(answered(requests, responses), profile, () => []);
  await reader.begin();
  return reader;
}

/** The result of a read out of its one answer. `at`: when it was asked, clock ms. Throws `SessionError` or `WireError`. */
export async function readResult(
  profile: Profile,
  operation: OneMessageRead,
  at: number,
  requests: readonly Request[],
  responses: readonly Response[],
): Promise<OperationResult> {
  const reader = await readerOf(profile, requests, responses);
  await reader.prepare([profile.clock]);
  const clock = () => readClock(reader, profile, () => at);
  const refusals: Refusal[] = [];
  const intervals: OperationResult["intervals"][number][] = [];
  if (operation.kind === "readIntervals") {
    const { shown = at, ...instants } = await clock();
    for (const one of profile.loadProfiles) {
      const read = await readIntervals(reader, one, { shown, ...instants }, shown, operation.range);
      if (read.intervals !== undefined) intervals.push(read.intervals);
      refusals.push(...read.refusals);
    }
  }
  const wanted = registersOf(profile, operation);
  const read = await readRegisters(reader, wanted.registers, clock);
  const logged =
    operation.kind === "readEvents"
      ? await readEvents(reader, logsOf(profile), await clock(), operation.range)
      : undefined;
  refusals.push(...wanted.refusals, ...read.refusals, ...(logged?.refusals ?? []));
  return { registers: read.registers, intervals, refusals, ...(logged && { events: logged.events }) };
}
