import { isRecord, type TableRecord, type TableValue, valueAt } from "../../c1219/table-layout.ts";
import type { C1222Profile, C1222Register } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Measurement } from "../../metering/measurement.ts";
import type { RegisterValue } from "../../metering/result.ts";
import { tableName } from "../services/table-data.ts";
import type { MeterClock } from "./meter-clock.ts";
import type { Refusal, TableReader } from "./table-reader.ts";

/** The registers of the profile that carry these measurements; `total`: the total set; undefined: all of them. */
export function wantedRegisters(
  { registers }: C1222Profile["c1222"],
  wanted: "total" | readonly Measurement[] | undefined,
): { readonly registers: readonly C1222Register[]; readonly refusals: readonly Refusal[] } {
  if (wanted === undefined) return { registers, refusals: [] };
  if (wanted === "total") return { registers: registers.filter((register) => register.total), refusals: [] };
  const mapped = new Map(registers.map((register) => [register.measurement, register]));
  const names = [...new Set(wanted)];
  return {
    registers: names.flatMap((name) => mapped.get(name) ?? []),
    refusals: names.flatMap((name) => (mapped.has(name) ? [] : [{ item: name, code: "profile.not-mapped" }])),
  };
}

/** A number of a table as an integer and a power of ten. */
export function integerIn(
  value: TableValue | undefined,
): { readonly value: bigint; readonly exponent: number } | undefined {
  if (typeof value === "bigint") return { value, exponent: 0 };
  if (typeof value === "number") return { value: BigInt(value), exponent: 0 };
  if (typeof value !== "object" || value === null || isRecord(value) || !("mantissa" in value)) return undefined;
  return { value: value.mantissa, exponent: value.exponent };
}

/** Reads registers, each table once. Refusals of one are in the result. Throws `SessionError`. */
export async function readRegisters(
  reader: TableReader,
  registers: readonly C1222Register[],
  clock: () => Promise<MeterClock>,
): Promise<{ readonly registers: readonly RegisterValue[]; readonly refusals: readonly Refusal[] }> {
  const ids = [...new Set(registers.map(({ table }) => table))];
  const tables = await reader.readRecords(ids);
  const values: RegisterValue[] = [];
  const refusals: Refusal[] = [];
  for (const register of registers) {
    const answer = tables.get(register.table);
    if (answer?.kind !== "record") {
      refusals.push({ item: register.measurement, code: answer?.code ?? "c1222.err" });
      continue;
    }
    const { record } = answer;
    values.push(registerIn(record, register, register.capturedAt === undefined ? undefined : await clock()));
  }
  return { registers: values, refusals };
}

/** A register in its table's record. `clock`: places the time of a peak. Throws `SessionError` `c1222.element`. */
export function registerIn(
  record: TableRecord,
  { measurement, table, element, capturedAt, scaler }: C1222Register,
  clock: MeterClock | undefined,
): RegisterValue {
  const number = integerIn(valueAt(record, element));
  if (number === undefined)
    throw new SessionError("protocol", "c1222.element", `expected a number at ${element} of ${tableName(table)}`, {
      detail: { table, element },
    });
  const stamp = capturedAt === undefined ? undefined : valueAt(record, capturedAt);
  const at = typeof stamp === "number" ? clock?.placed(stamp)?.instant : undefined;
  return { measurement, value: number.value, scaler: scaler + number.exponent, ...(at === undefined ? {} : { at }) };
}
