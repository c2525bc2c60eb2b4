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

/** Nobody operates a switch before its guards are there. */
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
] as const;

/** What may be asked for; instants in ISO 8601. */
export const OfferedOperation = z.discriminatedUnion("kind", OFFERED);

/** An operation as the API shows it. */
export const OperationInApi = z.discriminatedUnion("kind", [...OFFERED, OperateSwitch]);
