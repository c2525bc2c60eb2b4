import { z } from "zod";
import { MeterId } from "../metering/meter.ts";

/** Ids of programs and events, as OpenADR has them. */
export const DemandId = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "expected 1 to 128 letters, digits, '_' or '-'");

/** A word by which events find enrolled meters: a group, a feeder, a kind of load, as the utility has it. */
export const Target = z.string().min(1).max(128);

/**
 * What consumption during an event is compared with. `mean-of-days`: the mean of the same quarter-hours of so many days
 * before; `level-before`: the mean power of the hour before the event, all through.
 */
export const Baseline = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("mean-of-days"), days: z.int().min(1).max(10) }),
  z.strictObject({ kind: z.literal("level-before") }),
]);
export type Baseline = z.infer<typeof Baseline>;
export const DEFAULT_BASELINE: Baseline = { kind: "mean-of-days", days: 5 };

/** A demand response program. Instants are clock ms. */
export const DrProgram = z.strictObject({
  programId: DemandId,
  name: z.string().min(1).max(128),
  baseline: Baseline,
  targets: z.array(Target).max(50),
  createdAt: z.int(),
  modifiedAt: z.int(),
  /** What else an OpenADR client said of it. */
  said: z.record(z.string(), z.unknown()).optional(),
});
export type DrProgram = z.infer<typeof DrProgram>;

/** A meter in a program, by its customer's consent. */
export const Enrolment = z.strictObject({
  programId: DemandId,
  meterId: MeterId,
  /** Who recorded the consent of the customer, when, and how it was given. */
  consent: z.strictObject({ by: z.string().max(256), at: z.int(), how: z.string().min(1).max(500) }),
  targets: z.array(Target).max(50),
  /** The customer has left; what had begun is released. */
  optedOutAt: z.int().optional(),
});
export type Enrolment = z.infer<typeof Enrolment>;

/** Whether an event or program of these targets is meant for one that is known by those. No targets: for everybody. */
export const meantFor = (targets: readonly string[], known: readonly string[]): boolean =>
  targets.length === 0 || targets.some((target) => known.includes(target));
