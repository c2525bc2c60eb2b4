import { z } from "zod";
import { LoadControl } from "../metering/load-control.ts";
import { Operation } from "../metering/operation.ts";
import { EmergencyLimit } from "../metering/power-limit.ts";
import { WholeSecond } from "./instant.ts";

const [
  ReadRegisters,
  ReadIntervals,
  Ping,
  ResetDemand,
  ReadEvents,
  ReadVoltage,
  ReadSwitch,
  SetClock,
  OperateSwitch,
  ReadBilling,
  ControlLoad,
  ReadPowerLimit,
  SetPowerLimit,
  ConfigurePush,
  ProgramTariff,
  ReadTariff,
  SendPrice,
  ReadCredit,
  AddCredit,
  DeliverToken,
] = Operation.options;

const range = z
  .strictObject({ from: WholeSecond, to: WholeSecond })
  .refine(({ from, to }) => from < to, { message: "expected from < to", path: ["to"] });

const [Off, Cycle, Limit, Release] = LoadControl.options;
const LoadControlInApi = z.discriminatedUnion("mode", [
  Off.extend({ until: WholeSecond }),
  z
    .strictObject({ ...Cycle.shape, until: WholeSecond })
    .refine(({ periodSeconds, offSeconds }) => offSeconds < periodSeconds, {
      message: "expected offSeconds < periodSeconds",
      path: ["offSeconds"],
    }),
  Limit.extend({ until: WholeSecond }),
  Release,
]);

const OFFERED = [
  ReadRegisters,
  ReadIntervals.extend({ range }),
  Ping,
  ResetDemand,
  ReadEvents.extend({ range }),
  ReadVoltage,
  ReadSwitch,
  SetClock,
  ReadBilling.extend({ range: range.optional() }),
  OperateSwitch,
  ControlLoad.extend({ control: LoadControlInApi }),
  ReadPowerLimit,
  SetPowerLimit.extend({ emergency: EmergencyLimit.extend({ activateAt: WholeSecond }).nullable().optional() }),
  ConfigurePush,
  ProgramTariff.extend({ activateAt: WholeSecond.optional() }),
  ReadTariff,
  SendPrice.extend({ from: WholeSecond, until: WholeSecond }).refine(({ from, until }) => from < until, {
    message: "expected from < until",
    path: ["until"],
  }),
  ReadCredit,
  AddCredit,
  DeliverToken,
] as const;

/** What may be asked for, and how it is shown; instants in ISO 8601. */
export const OfferedOperation = z.discriminatedUnion("kind", OFFERED);
