import { z } from "zod";
import { Operation } from "../metering/operation.ts";
import { WholeSecond } from "./instant.ts";

const [ReadRegisters, ReadIntervals, Ping, ResetDemand, ReadEvents, ReadVoltage, ReadSwitch, SetClock, OperateSwitch] =
  Operation.options;

const range = z
  .strictObject({ from: WholeSecond, to: WholeSecond })
  .refine(({ from, to }) => from < to, { message: "expected from < to", path: ["to"] });
const ReadIntervalsInApi = ReadIntervals.extend({ range });

/** An operation as the API writes it: instants in ISO 8601. */
export const OperationInApi = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervalsInApi,
  Ping,
  ResetDemand,
  ReadEvents.extend({ range }),
  ReadVoltage,
  ReadSwitch,
  SetClock,
  OperateSwitch,
]);

/** What may be asked for. The others have no place yet where their results are kept, or no guards before them. */
export const OfferedOperation = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervalsInApi,
  Ping,
  ResetDemand,
  ReadVoltage,
  SetClock,
]);
