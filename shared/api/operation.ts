import { z } from "zod";
import { Operation } from "../metering/operation.ts";
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
] = Operation.options;

const range = z
  .strictObject({ from: WholeSecond, to: WholeSecond })
  .refine(({ from, to }) => from < to, { message: "expected from < to", path: ["to"] });

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
] as const;

/** What may be asked for, and how it is shown; instants in ISO 8601. */
export const OfferedOperation = z.discriminatedUnion("kind", OFFERED);
