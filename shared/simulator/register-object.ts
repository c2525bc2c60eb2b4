import type { Data } from "../dlms/data.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { Measurement } from "../metering/measurement.ts";
import { meterTimeData, scalerUnit } from "./cosem-data.ts";
import type { MeterState } from "./meter-state.ts";

/** What a register shows now: `value × 10^scaler` of its unit, since `capturedAt` by the meter's clock. */
export interface Shown {
  readonly value: number;
  readonly capturedAt: number;
}
export interface RegisterSource {
  readonly logicalName: LogicalName;
  readonly measurement: Measurement;
  readonly scaler: number;
  /** COSEM unit code. */
  readonly unit: number;
  readonly encode: (value: number) => Data;
  readonly shown: () => Shown;
}

/** Looks at the register and writes what it holds to the truth log, before anything is encoded. */
function serve(state: MeterState, source: RegisterSource): Shown {
  const shown = source.shown();
  state.truth.registerServed({
    measurement: source.measurement,
    value: BigInt(shown.value),
    scaler: source.scaler,
    servedAt: state.trueNow(),
    capturedAt: shown.capturedAt,
  });
  return shown;
}

/** Register, class_id 3 version 0: attribute 2 value, 3 scaler_unit. */
export const registerObject = (state: MeterState, source: RegisterSource): CosemObject => ({
  classId: 3,
  version: 0,
  logicalName: source.logicalName,
  attributes: {
    2: { get: () => dataResult(source.encode(serve(state, source).value)) },
    3: { get: () => dataResult(scalerUnit(source.scaler, source.unit)) },
  },
});

/** Extended register, class_id 4 version 0: as Register, and 4 status, 5 capture_time. */
export const extendedRegisterObject = (state: MeterState, source: RegisterSource): CosemObject => ({
  classId: 4,
  version: 0,
  logicalName: source.logicalName,
  attributes: {
    ...registerObject(state, source).attributes,
    4: { get: () => dataResult({ type: "unsigned", value: 0 }) },
    5: { get: () => dataResult(meterTimeData(state.zone, source.shown().capturedAt)) },
  },
});
