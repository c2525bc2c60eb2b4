import { z } from "zod";
import { Operation } from "../metering/operation.ts";
import { WholeSecond } from "./instant.ts";

const [ReadRegisters, ReadIntervals, Ping, ResetDemand, ReadEvents, ReadVoltage, ReadSwitch, SetClock, OperateSwitch] =
  Operation.options;

const range = z
  .strictObject({ from: WholeSecond, to: WholeSecond })
  .refine(({ from, to }) => from < to, { message: "expected from < to", path: ["to"] });
const ReadIntervalsInApi = ReadIntervals.extend({ range });
const ReadEventsInApi = ReadEvents.extend({ range });

/** An operation as the API writes it: instants in ISO 8601. */
export const OperationInApi = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervalsInApi,
  Ping,
  ResetDemand,
  ReadEventsInApi,
  ReadVoltage,
  ReadSwitch,
  SetClock,
  OperateSwitch,
]);

/** What may be asked for. Nobody operates a switch before its guards are there. */
export const OfferedOperation = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervalsInApi,
  Ping,
  ResetDemand,
  ReadEventsInApi,
  ReadVoltage,
  SetClock,
]);
