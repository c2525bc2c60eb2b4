import { STANDARD_EVENTS } from "../../c1219/event-codes.ts";
import { type TableRecord, valueAt } from "../../c1219/table-layout.ts";
import type { C1222Log } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { TimeRange } from "../../metering/operation.ts";
import type { MeterEvent } from "../../metering/result.ts";
import { toHex } from "../../ports/octets.ts";
import type { MeterClock } from "./meter-clock.ts";
import type { Refusal, TableReader } from "./table-reader.ts";

/** Fields of an entry, by the table. */
const FIELDS = {
  74: { time: "HISTORY_TIME", sequence: "HISTORY_SEQ_NBR", code: "HISTORY_CODE", argument: "HISTORY_ARGUMENT" },
  76: { time: "EVENT_TIME", sequence: "EVENT_SEQ_NBR", code: "EVENT_CODE", argument: "EVENT_ARGUMENT" },
} as const;

/** Events of the logs whose time lies in (from, to], by time. Refusals of a log are in the result. */
export async function readEvents(
  reader: TableReader,
  logs: readonly C1222Log[],
  clock: MeterClock,
  { from, to }: TimeRange,
): Promise<{ readonly events: readonly MeterEvent[]; readonly refusals: readonly Refusal[] }> {
  const tables = await reader.readRecords(logs.map(({ table }) => table));
  const events: MeterEvent[] = [];
  const refusals: Refusal[] = [];
  for (const log of logs) {
    const answer = tables.get(log.table);
    if (answer?.kind !== "record") refusals.push({ item: log.log, code: answer?.code ?? "c1222.err" });
    else events.push(...eventsOf(log, answer.record, clock));
  }
  return {
    events: events
      .filter(({ at }) => at > from && at <= to)
      .sort((left, right) => left.at - right.at || (left.sequence ?? 0) - (right.sequence ?? 0)),
    refusals,
  };
}

const whole = (record: TableRecord, path: string): number => {
  const value = valueAt(record, path);
  if (typeof value !== "number") throw new SessionError("protocol", "c1222.element", `expected a number at ${path}`);
  return value;
};

/** The valid entries of a log, a ring from the newest back; what has no time is passed over: nothing places it. */
function eventsOf(log: C1222Log, record: TableRecord, clock: MeterClock): readonly MeterEvent[] {
  const entries = (valueAt(record, "ENTRIES") ?? []) as readonly TableRecord[];
  const valid = whole(record, "NBR_VALID_ENTRIES");
  const newest = whole(record, "LAST_ENTRY_ELEMENT");
  if (valid > entries.length || (valid > 0 && newest >= entries.length))
    throw new SessionError("protocol", "c1222.log-status", `the status of the log ${log.log} contradicts its size`);
  const falling = valueAt(record, "LIST_STATUS.ORDER") === true;
  const { time, sequence, code, argument } = FIELDS[log.table];
  return Array.from({ length: valid }, (_, age) => {
    const at = falling ? newest + age : newest - age;
    return entries[((at % entries.length) + entries.length) % entries.length] ?? {};
  }).flatMap((entry): readonly MeterEvent[] => {
    const wall = valueAt(entry, time);
    const placed = typeof wall === "number" ? clock.placed(wall) : undefined;
    if (placed === undefined) return [];
    const number = whole(entry, `${code}.NBR`);
    const name = `${valueAt(entry, `${code}.STD_VS_MFG_FLAG`) === true ? "M" : "S"}${number}`;
    // In table 74 the code is what was done: a table or a procedure; the event number says which event it was.
    const eventNumber = log.table === 74 ? valueAt(entry, "EVENT_NUMBER") : undefined;
    const text = typeof eventNumber === "number" && eventNumber !== 0 ? `S${eventNumber}` : name;
    const octets = valueAt(entry, argument);
    const counted = valueAt(entry, sequence);
    return [
      {
        at: placed.instant,
        event:
          log.codes[text] ?? (text.startsWith("S") ? STANDARD_EVENTS[Number(text.slice(1))] : undefined) ?? "unknown",
        log: log.log,
        code: text.startsWith("S") ? text.slice(1) : String(2048 + Number(text.slice(1))),
        ...(typeof counted === "number" ? { sequence: counted } : {}),
        ...(octets instanceof Uint8Array && octets.length > 0 ? { argument: toHex(octets) } : {}),
      },
    ];
  });
}
