import { z } from "zod";
import { Operation } from "../metering/operation.ts";
import { WholeSecond } from "./instant.ts";

const [ReadRegisters, ReadIntervals, Ping, ResetDemand] = Operation.options;

const range = z
  .strictObject({ from: WholeSecond, to: WholeSecond })
  .refine(({ from, to }) => from < to, { message: "expected from < to", path: ["to"] });

/** An operation as the API writes it: instants in ISO 8601. */
export const OperationInApi = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervals.extend({ range }),
  Ping,
  ResetDemand,
]);
