import { valueAt } from "../../c1219/table-layout.ts";
import type { TableReader } from "./table-reader.ts";

/** The meter's clock as one session found it. */
export interface MeterClock {
  /** Its instant when it was read, clock milliseconds; undefined: it does not say, or in local time. */
  readonly shown: number | undefined;
  /** The UTC instant of a wall time of this meter; undefined: local time, whose offset is not known here. */
  instantOf(wall: number): number | undefined;
}

/** Reads the clock table. A meter that keeps local time (GMT_FLAG 0) gives no instants: nothing is guessed. */
export async function readClock(reader: TableReader, table: number): Promise<MeterClock> {
  const [answer] = await reader.readOctets([table]);
  const record = answer?.kind === "octets" ? reader.interpret(table, answer.octets) : {};
  const isUtc = valueAt(record, "TIME_DATE_QUAL.GMT_FLAG") === true;
  const wall = valueAt(record, "CLOCK_CALENDAR");
  const instantOf = (time: number): number | undefined => (isUtc ? time : undefined);
  return { shown: typeof wall === "number" ? instantOf(wall) : undefined, instantOf };
}
