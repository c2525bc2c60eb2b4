import { z } from "zod";
import { MeasurementName } from "./measurement.ts";

/** Milliseconds since 1970-01-01T00:00Z, a whole second. */
const Instant = z.int().min(0).max(8_640_000_000_000_000);

/** Start included, end included for end-stamped intervals: the intervals whose *end* lies in (from, to]. */
export const TimeRange = z
  .strictObject({ from: Instant, to: Instant })
  .refine((range) => range.from < range.to, { message: "expected from < to", path: ["to"] });
export type TimeRange = z.infer<typeof TimeRange>;

const ReadRegisters = z.strictObject({
  kind: z.literal("readRegisters"),
  /** Absent: every register that the device profile maps. */
  measurements: z.array(MeasurementName).min(1).max(64).optional(),
});
const ReadIntervals = z.strictObject({
  kind: z.literal("readIntervals"),
  range: TimeRange,
  /** Read these registers in the same session, after the intervals. */
  registers: z.union([z.literal("total"), z.array(MeasurementName).min(1).max(64)]).optional(),
});
const Ping = z.strictObject({ kind: z.literal("ping"), depth: z.enum(["network", "meter"]) });
/** Sets the maximum demand back, as at the end of a billing period; the maximum is read before, in the same session. */
const ResetDemand = z.strictObject({ kind: z.literal("resetDemand") });

/** What can be asked of one meter, protocol-neutral. A capability adds its own here. */
export const Operation = z.discriminatedUnion("kind", [ReadRegisters, ReadIntervals, Ping, ResetDemand]);
export type Operation = z.infer<typeof Operation>;
export type OperationKind = Operation["kind"];

/** `read`: repeat freely; `state`: absolute set; `once`: intent first, prove instead of repeat. */
export type ReplayClass = "read" | "state" | "once";
export const REPLAY_CLASS = {
  readRegisters: "read",
  readIntervals: "read",
  ping: "read",
  resetDemand: "once",
} as const satisfies Readonly<Record<OperationKind, ReplayClass>>;

type KindOf<C extends ReplayClass> = {
  [K in OperationKind]: (typeof REPLAY_CLASS)[K] extends C ? K : never;
}[OperationKind];
/** Operations that are an effect of class `once`. */
export type OnceOperation = Extract<Operation, { readonly kind: KindOf<"once"> }>;

export const replayClass = ({ kind }: Pick<Operation, "kind">): ReplayClass => REPLAY_CLASS[kind];
export const isOnce = (operation: Operation): operation is OnceOperation => replayClass(operation) === "once";
