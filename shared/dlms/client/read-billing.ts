import type { DlmsBillingProfile } from "../../metering/dlms-equipment.ts";
import type { TimeRange } from "../../metering/operation.ts";
import type { BillingSnapshot, RegisterValue } from "../../metering/result.ts";
import type { Data } from "../data.ts";
import { dateTimeData, dateTimeIn } from "../date-time.ts";
import { ExtendedRegister } from "../objects/extended-register.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { type CaptureObject, ProfileGeneric } from "../objects/profile-generic.ts";
import { byRange } from "../selective-access.ts";
import { integerIn } from "./integer-value.ts";
import { type MeterTime, meterDateTime, placed } from "./meter-time.ts";
import { type Row, rowsOf } from "./profile-buffer.ts";
import { clockColumn, columnFinder } from "./read-intervals.ts";
import { type Refusal, refusalOf } from "./read-registers.ts";
import type { DlmsSession } from "./session.ts";

export interface BillingRead {
  readonly snapshots: readonly BillingSnapshot[];
  readonly refusals: readonly Refusal[];
}

/**
 * The snapshots of a billing profile whose time lies in (from, to]; without a range all of them, as many as its depth.
 * An entry that names no instant is a refusal: it says nothing about a period.
 */
export async function readBilling(
  session: DlmsSession,
  billing: DlmsBillingProfile,
  clock: string,
  time: MeterTime,
  range: TimeRange | undefined,
): Promise<BillingRead> {
  const [capture] = await session.readAll([
    attributeOf(ProfileGeneric, ProfileGeneric.attributes.captureObjects, billing.obis),
  ]);
  if (capture === undefined || capture.kind === "refused")
    return { snapshots: [], refusals: capture === undefined ? [] : [refusalOf("billing", capture.result)] };
  const captured = capture.value as readonly CaptureObject[];
  const clockIndex = clockColumn(billing.obis, clock, captured);
  const find = columnFinder(captured);
  const columns = billing.registers.map((register) => ({
    ...register,
    value: find(register.classId, register.obis, register.attribute),
    peakTime:
      register.classId === ExtendedRegister.classId
        ? find(register.classId, register.obis, ExtendedRegister.attributes.captureTime.id)
        : undefined,
  }));
  const selection =
    range &&
    byRange({
      restrictingObject: captured[clockIndex] as CaptureObject,
      fromValue: dateTimeData(meterDateTime(time, range.from)),
      toValue: dateTimeData(meterDateTime(time, range.to)),
      selectedValues: [],
    });
  const buffer = attributeOf(ProfileGeneric, ProfileGeneric.attributes.buffer, billing.obis);
  const answer = await session.read(buffer, selection);
  if (answer.kind === "refused") return { snapshots: [], refusals: [refusalOf("billing", answer.result)] };
  const refusals: Refusal[] = columns.flatMap(({ measurement, value }) =>
    value === undefined ? [{ item: measurement, code: "dlms.not-captured" }] : [],
  );
  const snapshots: BillingSnapshot[] = [];
  for (const [index, row] of rowsOf(answer.value, captured.length).entries()) {
    const at = instantIn(row.cells[clockIndex], time);
    if (at === undefined) {
      refusals.push({ item: `billing entry ${index}`, code: "dlms.no-time" });
      continue;
    }
    if (range !== undefined && (at <= range.from || at > range.to)) continue;
    const registers = columns.flatMap((column) => registerIn(row, column, time) ?? []);
    if (registers.length > 0) snapshots.push({ kind: "billing", at, registers });
  }
  return { snapshots: snapshots.sort((left, right) => left.at - right.at), refusals };
}

/** A register of one snapshot; undefined: nothing was kept of it, or it is no whole number. */
function registerIn(
  row: Row,
  column: Pick<DlmsBillingProfile["registers"][number], "measurement" | "scaler"> & {
    readonly value: number | undefined;
    readonly peakTime: number | undefined;
  },
  time: MeterTime,
): RegisterValue | undefined {
  const cell = column.value === undefined ? undefined : row.cells[column.value];
  const number = cell && integerIn(cell);
  if (number === undefined) return undefined;
  const at = column.peakTime === undefined ? undefined : instantIn(row.cells[column.peakTime], time);
  return {
    measurement: column.measurement,
    value: number.value,
    scaler: column.scaler + number.exponent,
    ...(at === undefined ? {} : { at }),
  };
}

function instantIn(cell: Data | undefined, time: MeterTime): number | undefined {
  const stamp = cell && dateTimeIn(cell);
  return stamp && placed(time, stamp, undefined)?.instant;
}
