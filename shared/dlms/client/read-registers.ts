import { SessionError } from "../../metering/failure.ts";
import { MEASUREMENTS, type Measurement } from "../../metering/measurement.ts";
import type { DlmsProfile, DlmsRegister } from "../../metering/profile.ts";
import type { OperationResult, RegisterValue } from "../../metering/result.ts";
import type { Data } from "../data.ts";
import { DATA_ACCESS_RESULT, isTransient, nameIn } from "../data-access-result.ts";
import type { DateTime } from "../date-time.ts";
import { DataObject } from "../objects/data.ts";
import { ExtendedRegister } from "../objects/extended-register.ts";
import { attributeOf, type ReadableAttribute } from "../objects/interface-class.ts";
import { Register, type scalerUnit } from "../objects/register.ts";
import type { ShapeValue } from "../objects/shape.ts";
import { unitExponent } from "../objects/unit.ts";
import { integerIn } from "./integer-value.ts";
import { type MeterTime, placed } from "./meter-time.ts";
import type { Answer, DlmsSession } from "./session.ts";

/** The register holds nothing yet. */
export const NO_VALUE = "dlms.no-value";

export type Refusal = OperationResult["refusals"][number];
export interface RegistersRead {
  readonly registers: readonly RegisterValue[];
  readonly refusals: readonly Refusal[];
}

/**
 * A definite refusal as results carry it: `dlms.object-undefined`. A transient one is none: throws `SessionError`
 * `refused`, to be tried later.
 */
export function refusalOf(item: string, result: number): Refusal {
  const code = `dlms.${nameIn(DATA_ACCESS_RESULT, result)}`;
  if (isTransient(result))
    throw new SessionError("refused", code, `the meter refused ${item} for now: ${code}`, {
      retry: "later",
      detail: { item },
    });
  return { item, code };
}

/** The registers of the profile that carry these measurements; `total`: the total set; undefined: all of them. */
export function wantedRegisters(
  profile: DlmsProfile,
  wanted: "total" | readonly Measurement[] | undefined,
): { readonly registers: readonly DlmsRegister[]; readonly refusals: readonly Refusal[] } {
  const { registers } = profile.dlms;
  if (wanted === undefined) return { registers, refusals: [] };
  if (wanted === "total") return { registers: registers.filter((register) => register.total), refusals: [] };
  const mapped = new Map(registers.map((register) => [register.measurement, register]));
  const found: DlmsRegister[] = [];
  const refusals: Refusal[] = [];
  for (const measurement of new Set(wanted)) {
    const register = mapped.get(measurement);
    if (register === undefined) refusals.push({ item: measurement, code: "profile.not-mapped" });
    else found.push(register);
  }
  return { registers: found, refusals };
}

/** What one register needs read: its value, its scaler and unit unless fixed, its capture time where it has one. */
interface Parts {
  readonly register: DlmsRegister;
  readonly value: number;
  readonly scalerUnit: number | undefined;
  readonly captureTime: number | undefined;
}

/** Scalers and units do not change within a session: what was read once serves again. */
export type ScalerCache = Map<string, Answer<ShapeValue<typeof scalerUnit>>>;

/** Reads registers in as few requests as the association allows. Refusals of one are in the result. */
export async function readRegisters(
  session: DlmsSession,
  registers: readonly DlmsRegister[],
  time: MeterTime,
  scalers: ScalerCache,
): Promise<RegistersRead> {
  const attributes: ReadableAttribute[] = [];
  const add = (attribute: ReadableAttribute): number => attributes.push(attribute) - 1;
  const parts = registers.map((register): Parts => {
    const { classId, obis } = register;
    const of = classId === 4 ? ExtendedRegister : classId === 3 ? Register : DataObject;
    const value = add(attributeOf(of, of.attributes.value, obis));
    const fixed = register.scaler !== undefined || classId === 1 || scalers.has(obis);
    return {
      register,
      value,
      scalerUnit: fixed ? undefined : add(attributeOf(of, Register.attributes.scalerUnit, obis)),
      captureTime: classId === 4 ? add(attributeOf(of, ExtendedRegister.attributes.captureTime, obis)) : undefined,
    };
  });
  const answers = await session.readAll(attributes);
  const values: RegisterValue[] = [];
  const refusals: Refusal[] = [];
  for (const part of parts) {
    if (part.scalerUnit !== undefined) scalers.set(part.register.obis, answers[part.scalerUnit] as never);
    const read = registerValue(part, answers, scalers.get(part.register.obis), time);
    if ("code" in read) refusals.push(read);
    else values.push(read);
  }
  return { registers: values, refusals };
}

function registerValue(
  part: Parts,
  answers: readonly Answer<unknown>[],
  scalerUnitRead: Answer<ShapeValue<typeof scalerUnit>> | undefined,
  time: MeterTime,
): RegisterValue | Refusal {
  const { register } = part;
  const refused = (code: string): Refusal => ({ item: register.measurement, code });
  const value = answers[part.value] as Answer<Data>;
  if (value.kind === "refused") return refusalOf(register.measurement, value.result);
  const number = integerIn(value.value);
  // Null is how a meter says that a register holds nothing yet.
  if (number === undefined && value.value.type === "null-data") return refused(NO_VALUE);
  if (number === undefined)
    throw new SessionError(
      "protocol",
      "dlms.type-unmatched",
      `expected a number in ${register.obis}, got ${value.value.type}`,
      {
        detail: { classId: register.classId, instanceId: register.obis, type: value.value.type },
      },
    );
  let scaler = register.scaler ?? 0;
  if (register.scaler === undefined && scalerUnitRead !== undefined) {
    if (scalerUnitRead.kind === "refused") return refusalOf(register.measurement, scalerUnitRead.result);
    const exponent = unitExponent(MEASUREMENTS[register.measurement].unit, scalerUnitRead.value.unit);
    if (exponent === undefined) return refused("dlms.unit-mismatch");
    scaler = scalerUnitRead.value.scaler + exponent;
  }
  const at = part.captureTime === undefined ? undefined : capturedAt(answers[part.captureTime], time);
  return {
    measurement: register.measurement,
    value: number.value,
    scaler: scaler + number.exponent,
    ...(at === undefined ? {} : { at }),
  };
}

function capturedAt(answer: Answer<unknown> | undefined, time: MeterTime): number | undefined {
  return answer?.kind === "value" ? placed(time, answer.value as DateTime, undefined)?.instant : undefined;
}
