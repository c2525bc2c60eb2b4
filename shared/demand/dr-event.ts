import { z } from "zod";
import { JobId } from "../jobs/job.ts";
import { LoadControl } from "../metering/load-control.ts";
import { MeterId } from "../metering/meter.ts";
import { seedOf } from "../ports/random.ts";
import { DemandId, type Enrolment, meantFor, Target } from "./program.ts";

const Second = z.int().min(0).multipleOf(1000);

/** What the loads are told for a part of an event; absent in a phase: nothing, they do as they like. */
export const PhaseControl = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("off") }),
  z
    .strictObject({
      mode: z.literal("cycle"),
      periodSeconds: z.int().min(120).max(7_200),
      offSeconds: z.int().min(60).max(7_200),
    })
    .refine(({ periodSeconds, offSeconds }) => offSeconds < periodSeconds, {
      message: "expected offSeconds < periodSeconds",
      path: ["offSeconds"],
    }),
  z.strictObject({ mode: z.literal("limit"), watts: z.int().min(1).max(10_000_000) }),
]);
export type PhaseControl = z.infer<typeof PhaseControl>;

/** Longest phase with a control: a meter's schedule knows local times, and a load is not forgotten for days. */
export const PHASE_MAX_MS = 86_400_000;
export const PHASES_MAX = 96;

export const Phase = z
  .strictObject({ from: Second, to: Second, control: PhaseControl.optional() })
  .refine(({ from, to }) => from < to, { message: "expected from < to", path: ["to"] })
  .refine(({ from, to, control }) => control === undefined || to - from <= PHASE_MAX_MS, {
    message: "expected a control of at most 24 hours",
    path: ["to"],
  });
export type Phase = z.infer<typeof Phase>;

/** `ended`: its time is over and it is measured; `cancelled`: somebody ended it before. */
export const EVENT_STATES = ["planned", "active", "ended", "measured", "cancelled"] as const;

/** One demand response event. Instants are clock ms. */
export const DrEvent = z.strictObject({
  eventId: DemandId,
  programId: DemandId,
  name: z.string().max(256).optional(),
  /** By time, apart from each other; none: the event is about nothing that loads do. */
  phases: z.array(Phase).max(PHASES_MAX),
  /** Each meter starts at a time of its own within so many seconds; it ends with the event. */
  randomSeconds: z.int().min(0).max(7_200),
  targets: z.array(Target).max(50),
  /** A lower number is stronger; absent: the weakest. */
  priority: z.int().min(0).optional(),
  state: z.enum(EVENT_STATES),
  createdAt: z.int(),
  modifiedAt: z.int(),
  /** Who asked: its jobs are asked in this name. */
  caller: z.strictObject({ id: z.string(), name: z.string().optional(), roles: z.array(z.string()) }),
  /** Meters of its roster, frozen when it begins. */
  meters: z.int().min(0).optional(),
  /** The event of another VTN that it is: taken as a VEN. */
  source: z
    .strictObject({ vtn: z.string(), eventID: z.string(), programID: z.string(), changed: z.string() })
    .optional(),
  /** Its client deleted it: it is not shown to OpenADR any more. */
  removed: z.boolean().optional(),
  /** The job that reads what it brought. */
  readJob: JobId.optional(),
  version: z.int().min(1),
  said: z.record(z.string(), z.unknown()).optional(),
});
export type DrEvent = z.infer<typeof DrEvent>;

/** Meters that are told one thing in one job: written before the job is asked for, so that it is never another one. */
export const Wave = z.strictObject({
  eventId: DemandId,
  number: z.int().min(0),
  at: z.int(),
  /** What the loads are told: a phase of the event as it was then, or that they are released. */
  order: LoadControl,
  meterIds: z.array(MeterId).min(1).max(1000),
  jobId: JobId.optional(),
  /** Why no job could be made of it. */
  problem: z.string().max(300).optional(),
});
export type Wave = z.infer<typeof Wave>;

export const WAVE_METERS_MAX = 1000;

export const startOf = ({ phases }: Pick<DrEvent, "phases">): number => phases[0]?.from ?? 0;
export const endOf = ({ phases }: Pick<DrEvent, "phases">): number => phases.at(-1)?.to ?? 0;

/** When a meter begins: the same for every tick and every function, spread evenly over the window. */
export const beginsAt = (event: Pick<DrEvent, "eventId" | "phases" | "randomSeconds">, meterId: MeterId): number =>
  startOf(event) +
  (event.randomSeconds === 0 ? 0 : seedOf(`${event.eventId} ${meterId}`) % (event.randomSeconds + 1)) * 1000;

/** The phase that is on at an instant, for a meter that began at its own time. */
export function phaseAt(
  event: Pick<DrEvent, "eventId" | "phases" | "randomSeconds">,
  meterId: MeterId,
  now: number,
): number | undefined {
  if (now < beginsAt(event, meterId)) return undefined;
  const found = event.phases.findIndex(({ from, to }) => now >= from && now < to);
  return found < 0 || event.phases[found]?.control === undefined ? undefined : found;
}

export const orderOf = ({ control, to }: Phase): LoadControl =>
  control === undefined ? { mode: "release" } : { ...control, until: to };

/** Members of a program that an event is meant for. A meter's own id is a target too. */
export const rosterOf = (event: Pick<DrEvent, "targets">, enrolments: readonly Enrolment[]): readonly MeterId[] =>
  enrolments
    .filter(
      ({ optedOutAt, targets, meterId }) => optedOutAt === undefined && meantFor(event.targets, [meterId, ...targets]),
    )
    .map(({ meterId }) => meterId)
    .sort();

/** Whether one event goes before another for a meter of both: by priority, then the earlier one. */
export const goesBefore = (left: DrEvent, right: DrEvent): boolean => {
  const [own, other] = [left.priority ?? Number.MAX_SAFE_INTEGER, right.priority ?? Number.MAX_SAFE_INTEGER];
  if (own !== other) return own < other;
  return left.createdAt === right.createdAt ? left.eventId < right.eventId : left.createdAt < right.createdAt;
};
