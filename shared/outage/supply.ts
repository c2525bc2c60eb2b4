import { FAILURE_REASONS } from "../metering/failure.ts";
import { type FleetColumns, powerOf } from "../readings/fleet-columns.ts";

/** What is known of a meter's supply, clock ms. */
export interface Supply {
  /** When it last was shown to be there, if nothing newer shows it gone. */
  readonly onAt?: number | undefined;
  /** That it is back was said by the meter itself. */
  readonly noticed?: boolean | undefined;
  /** When the meter says that it went, if nothing newer shows it back. */
  readonly offAt?: number | undefined;
  /** When the meter last said that it went, whatever came after. */
  readonly lostAt?: number | undefined;
  /** When the meter was last asked and stayed silent, if it did not answer since. */
  readonly silentAt?: number | undefined;
}

/** Somebody asked, and nothing came: no more than that. */
const SILENCE: ReadonlySet<string | undefined> = new Set(["timeout", "unreachable"]);
const SECOND_MS = 1000;

export function supplyOf(columns: FleetColumns | undefined, slot: number): Supply {
  if (columns === undefined) return {};
  const { state, at, by } = powerOf(columns, slot);
  const [tried, contact, lost] = [columns.tried[slot] ?? 0, columns.contact[slot] ?? 0, columns.offAt[slot] ?? 0];
  const silent = tried > contact && SILENCE.has(FAILURE_REASONS[columns.reason[slot] ?? 0]);
  return {
    onAt: state === "on" ? at : undefined,
    noticed: by === "restoration",
    offAt: state === "off" ? at : undefined,
    lostAt: lost === 0 ? undefined : lost * SECOND_MS,
    silentAt: silent ? tried * SECOND_MS : undefined,
  };
}
