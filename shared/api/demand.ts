import { z } from "zod";
import { EVENT_STATES, PHASE_MAX_MS, PHASES_MAX, PhaseControl } from "../demand/dr-event.ts";
import { VtnConnection } from "../demand/openadr/ven-client.ts";
import { PARTICIPATION_OUTCOMES } from "../demand/participation.ts";
import { Baseline, DEFAULT_BASELINE, DemandId, Target } from "../demand/program.ts";
import { JobId } from "../jobs/job.ts";
import { MeterId } from "../metering/meter.ts";
import { Instant, WholeSecond } from "./instant.ts";
import { limitUpTo } from "./page.ts";

const Targets = z.array(Target).max(50);

export const ProgramPath = z.strictObject({ programId: DemandId });
export const EnrolmentPath = z.strictObject({ programId: DemandId, meterId: MeterId });
export const DrEventPath = z.strictObject({ eventId: DemandId });

/** PUT /demand/programs/{programId}. */
export const ProgramBody = z.strictObject({
  name: z.string().min(1).max(128),
  baseline: Baseline.default(DEFAULT_BASELINE),
});
export const ProgramInApi = z.strictObject({
  programId: DemandId,
  name: z.string(),
  baseline: Baseline,
  targets: Targets,
  createdAt: Instant,
  modifiedAt: Instant,
});
export const ProgramList = z.strictObject({ programs: z.array(ProgramInApi) });

/** PUT /demand/programs/{programId}/meters/{meterId}: the customer's consent, and by which words events find the meter. */
export const EnrolmentBody = z.strictObject({
  consent: z.strictObject({ how: z.string().min(1).max(500) }),
  targets: Targets.default([]),
});
export const EnrolmentInApi = z.strictObject({
  meterId: MeterId,
  consent: z.strictObject({ by: z.string(), at: Instant, how: z.string() }),
  targets: Targets,
  optedOutAt: Instant.optional(),
});
export const EnrolmentList = z.strictObject({ meters: z.array(EnrolmentInApi) });

const PhaseInApi = z.strictObject({ from: Instant, to: Instant, control: PhaseControl.optional() });

/** POST /demand/events: one control from start to end. */
export const DrEventSubmission = z
  .strictObject({
    /** The same id with the same content is the same event. */
    eventId: DemandId.optional(),
    programId: DemandId,
    name: z.string().max(256).optional(),
    start: WholeSecond,
    end: WholeSecond,
    control: PhaseControl,
    /** Each meter begins at a time of its own within so many seconds. */
    randomSeconds: z.int().min(0).max(7_200).default(0),
    /** Default: every meter of the program. */
    targets: Targets.default([]),
    /** A lower number is stronger; default: the weakest. */
    priority: z.int().min(0).optional(),
  })
  .refine(({ start, end }) => start < end && end - start <= PHASE_MAX_MS, {
    message: "expected an instant after start, by at most 24 hours",
    path: ["end"],
  });

export const DrEventInApi = z.strictObject({
  eventId: DemandId,
  programId: DemandId,
  name: z.string().optional(),
  state: z.enum(EVENT_STATES),
  phases: z.array(PhaseInApi).max(PHASES_MAX),
  randomSeconds: z.int(),
  targets: Targets,
  priority: z.int().optional(),
  createdAt: Instant,
  modifiedAt: Instant,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  /** How many it is meant for, known once it has begun. */
  meters: z.int().optional(),
  jobs: z
    .array(
      z.strictObject({
        at: Instant,
        tells: z.enum(["control", "release"]),
        meters: z.int(),
        jobId: JobId.optional(),
        problem: z.string().optional(),
      }),
    )
    .optional(),
});
export const DrEventListQuery = z.strictObject({ limit: limitUpTo(100, 25) });
export const DrEventList = z.strictObject({ events: z.array(DrEventInApi) });

/** POST /demand/events/{eventId}/opt-outs: the customer leaves this event; what had begun is released. */
export const OptOutBody = z.strictObject({ meterId: MeterId });

export const ParticipationInApi = z.strictObject({
  eventId: DemandId,
  state: z.enum(EVENT_STATES),
  baseline: Baseline,
  total: z.strictObject({
    meters: z.int(),
    told: z.int(),
    baselineWh: z.int(),
    actualWh: z.int(),
    /** Baseline less what was used, over the meters that were told and have both. */
    shedWh: z.int(),
  }),
  meters: z.array(
    z.strictObject({
      meterId: MeterId,
      outcome: z.enum(PARTICIPATION_OUTCOMES),
      baselineWh: z.int().optional(),
      actualWh: z.int().optional(),
      shedWh: z.int().optional(),
      beforeW: z.int().optional(),
      duringW: z.int().optional(),
      afterW: z.int().optional(),
    }),
  ),
});

export const VtnPath = z.strictObject({ vtn: VtnConnection.shape.name });
/** PUT /demand/vtns/{vtn}. */
export const VtnBody = VtnConnection.omit({ name: true, secretVersion: true }).extend({
  /** Absent: the one that is there is kept. */
  clientSecret: z.string().min(1).max(1000).optional(),
});
export const VtnInApi = VtnConnection.omit({ secretVersion: true });
export const VtnList = z.strictObject({ vtns: z.array(VtnInApi) });
