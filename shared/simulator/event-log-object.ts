import type { LogicalName } from "../dlms/logical-name.ts";
import type { CosemObject } from "../dlms/server/cosem-object.ts";
import type { DlmsEventLog } from "../metering/dlms-equipment.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import type { MeterEvent } from "../metering/result.ts";
import { longUnsigned, meterTimeData, unsigned } from "./cosem-data.ts";
import { dataObject } from "./data-object.ts";
import type { LoggedEvent } from "./event-memory.ts";
import type { MeterState } from "./meter-state.ts";
import { listedEntries, profileGenericObject } from "./profile-generic-object.ts";

const CLOCK_CLASS = 8;
const DATA_CLASS = 1;

/** Codes of a log by what they mean, in the profile's order: one a phase where there are several. */
function codesOf({ events }: DlmsEventLog): ReadonlyMap<EventName, readonly number[]> {
  const codes = new Map<EventName, number[]>();
  for (const [code, event] of Object.entries(events)) codes.set(event, [...(codes.get(event) ?? []), Number(code)]);
  return codes;
}

/** One entry of a log: what happened, and the code under which this log has it. */
interface Entry {
  readonly at: number;
  readonly event: EventName;
  readonly code: number;
}

/** What a log holds now: of everything that happened, what it has a code for, the newest `depth`. */
export function loggedIn(log: DlmsEventLog, happened: readonly LoggedEvent[]): readonly Entry[] {
  const codes = codesOf(log);
  const entries: Entry[] = [];
  for (const { at, event, variant = 0 } of happened) {
    const found = codes.get(event);
    const code = found?.[Math.min(variant, found.length - 1)];
    if (code !== undefined) entries.push({ at, event, code });
  }
  return entries.slice(-log.depth);
}

/** The same as a driver should tell it: the truth of a log. */
export const trueEvents = (log: DlmsEventLog, happened: readonly LoggedEvent[]): readonly MeterEvent[] =>
  loggedIn(log, happened).map(({ at, event, code }) => ({ at, event, log: log.log, code: String(code) }));

/** An event log (Profile generic) and the Data object with the code of its newest entry. */
export function eventLogObjects(state: MeterState, clock: LogicalName, log: DlmsEventLog): readonly CosemObject[] {
  const wide = Object.keys(log.events).some((code) => Number(code) > 0xff);
  const coded = wide ? longUnsigned : unsigned;
  const clockColumn = { classId: CLOCK_CLASS, logicalName: clock, attributeIndex: 2, dataIndex: 0 };
  const entries = () => loggedIn(log, state.events.all());
  return [
    profileGenericObject({
      logicalName: log.obis,
      columns: [
        { object: clockColumn, at: ({ at }) => meterTimeData(state.zone, at) },
        {
          object: { classId: DATA_CLASS, logicalName: log.code, attributeIndex: 2, dataIndex: 0 },
          at: ({ code }) => coded(code),
        },
      ],
      clock: clockColumn,
      period: 0,
      depth: log.depth,
      held: () => listedEntries(entries(), ({ at }) => at),
      zone: state.zone,
    }),
    dataObject(log.code, () => coded(entries().at(-1)?.code ?? 0)),
  ];
}
