import { z } from "zod";
import { EventNameSchema } from "../metering/event-catalogue.ts";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { MeterIdentity } from "../metering/identity.ts";
import { LoadControlState } from "../metering/load-control.ts";
import { MeasurementName } from "../metering/measurement.ts";
import { MeterId, SEGMENT_SLOTS } from "../metering/meter.ts";
import { MeterCredit } from "../metering/meter-credit.ts";
import { TimeRange } from "../metering/operation.ts";
import { PowerLimitShown } from "../metering/power-limit.ts";
import { PushState } from "../metering/push-setting.ts";
import { SNAPSHOT_KINDS } from "../metering/result.ts";
import { ShownTariff } from "../metering/tariff-calendar.ts";
import { JobId } from "./job.ts";
import { Lane } from "./lane.ts";

/** The codec of every queue body. 64-bit values are decimal strings; times are clock milliseconds. */
export const Integer64 = z.codec(z.string().regex(/^-?\d{1,20}$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});
const Reason = z.enum(FAILURE_REASONS as [FailureReason, ...FailureReason[]]);

/** A lane's message: a hint that this slice, in this generation, may want work. */
export const WorkItem = z.strictObject({
  v: z.literal(1),
  job: JobId,
  segment: z.int().min(0),
  part: z.int().min(0),
  generation: z.int().min(1),
  /** Whose turn the work is (`fair-share.ts`); absent: nobody's in particular. */
  share: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,128}$/)
    .optional(),
});
export type WorkItem = z.infer<typeof WorkItem>;

export const RegisterRecord = z.strictObject({
  m: MeasurementName,
  v: Integer64,
  s: z.int(),
  at: z.int().optional(),
});
/** One channel set's entries: `ends[i]` belongs to `values[channel][i]` and `status[i]`. */
export const IntervalRecord = z.strictObject({
  set: z.string(),
  period: z.int().min(1),
  channels: z
    .array(z.strictObject({ m: MeasurementName, s: z.int() }))
    .min(1)
    .max(16),
  ends: z.array(z.int()),
  values: z.array(z.array(Integer64.nullable())),
  status: z.array(z.int()),
});

/** Registers as they stood at `at`; a register's own `at` is the time of its peak. */
const SnapshotRecord = z.strictObject({
  kind: z.enum(SNAPSHOT_KINDS),
  at: z.int(),
  registers: z.array(RegisterRecord).min(1).max(64),
});

export const EventRecord = z.strictObject({
  at: z.int(),
  e: EventNameSchema,
  log: z.string().max(64),
  code: z.string().max(32),
  seq: z.int().optional(),
  arg: z
    .string()
    .regex(/^(?:[0-9a-f]{2})*$/)
    .max(512)
    .optional(),
});

/** Frames of one conversation that are kept at the most. */
export const FRAMES_KEPT = 512;
const FrameRecord = z.strictObject({ d: z.enum(["sent", "received"]), f: z.string().regex(/^(?:[0-9a-f]{2})*$/) });

/** A switch as a bridge saw it, with the voltages on its sides. */
const SwitchShown = z.strictObject({
  position: z.enum(["open", "closed", "armed", "unknown"]),
  contactClosed: z.boolean().optional(),
  voltages: z.array(RegisterRecord).max(16),
});
/** What was seen of a switch around an order to it. */
export const SwitchEvidence = z.strictObject({
  /** Before the order was sent; absent: nothing was sent. */
  before: SwitchShown.optional(),
  /** When it was last looked at; absent: the meter could not be asked. */
  after: SwitchShown.optional(),
  /** How its end position is proved; absent: it is not. */
  proof: z.enum(["position", "position+voltage"]).optional(),
});
export type SwitchEvidence = z.output<typeof SwitchEvidence>;

/** How one attempt at one meter ended. */
export const TaskReport = z.strictObject({
  slot: z
    .int()
    .min(0)
    .max(SEGMENT_SLOTS - 1),
  meterId: MeterId,
  /** 1.. inside the pass. */
  attempt: z.int().min(1),
  /** When the meter answered (or did not), clock ms. */
  at: z.int(),
  /** Of what it said by itself: when it says that it sent it, clock ms. */
  saidAt: z.int().optional(),
  /** Of a read that asked for a part of its job's range: that part. */
  asked: TimeRange.optional(),
  outcome: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("done") }),
    /** `code`: the precise dotted code; `retry: later` leaves the slot open while the policy has passes left. */
    z.strictObject({
      kind: z.literal("failed"),
      reason: Reason,
      code: z.string().max(100),
      retry: z.enum(["later", "never"]),
    }),
    /** The engine itself refused to carry the order out, and the meter is as it was. */
    z.strictObject({ kind: z.literal("cancelled"), reason: Reason, code: z.string().max(100) }),
  ]),
  profile: z.strictObject({ name: z.string(), version: z.int() }).optional(),
  /** SHA-256 of all frames of the session, sent and received, hex. */
  frameDigest: z.string().optional(),
  /** The frames themselves, where the job asks for it; the first of them. */
  frames: z.array(FrameRecord).max(FRAMES_KEPT).optional(),
  framesLeftOut: z.int().min(1).optional(),
  registers: z.array(RegisterRecord).optional(),
  intervals: z.array(IntervalRecord).optional(),
  snapshots: z.array(SnapshotRecord).max(64).optional(),
  events: z.array(EventRecord).optional(),
  switch: z
    .strictObject({
      position: z.enum(["open", "closed", "armed", "unknown"]),
      contactClosed: z.boolean().optional(),
    })
    .optional(),
  clockSet: z
    .strictObject({ beforeMs: z.number(), afterMs: z.number(), over: z.array(z.string()).optional() })
    .optional(),
  loadControl: LoadControlState.optional(),
  powerLimit: PowerLimitShown.optional(),
  meterCredit: MeterCredit.optional(),
  pushSet: z.strictObject({ before: PushState, after: PushState }).optional(),
  /** Of an order to a switch. */
  switchEvidence: SwitchEvidence.optional(),
  tariff: ShownTariff.optional(),
  shownPrice: z.string().max(4096).optional(),
  /** What the meter says of itself, where it was asked. */
  identity: MeterIdentity.optional(),
  evidence: z.array(z.enum(["tcp-accept", "module-answer", "meter-answer"])).optional(),
  refusals: z.array(z.strictObject({ item: z.string(), code: z.string() })).optional(),
  clockOffsetMs: z.number().optional(),
  clockUncertaintyMs: z.number().min(0).optional(),
  /** Of intervals that began before the meter took another one's place: when that was, clock ms. */
  installedAt: z.int().optional(),
});
export type TaskReport = z.infer<typeof TaskReport>;

/** What a bridge reports of one slice: immutable evidence once it is written. */
export const ResultBatch = z.strictObject({
  v: z.literal(1),
  /** Unique: bridge id and a running number; the same batch again is the same content. */
  batch: z.string().min(1).max(100),
  bridge: z.string(),
  lane: Lane,
  job: JobId,
  segment: z.int().min(0),
  part: z.int().min(0),
  generation: z.int().min(1),
  sentAt: z.int(),
  tasks: z.array(TaskReport),
  /** The bridge has given the slice back: it rests or closes. */
  passOver: z.boolean(),
});
export type ResultBatch = z.infer<typeof ResultBatch>;

/** Body of the results queue: the batch itself, or the key of the object that holds it (over 200 kB). */
export const ResultMessage = z.union([ResultBatch, z.strictObject({ v: z.literal(1), object: z.string() })]);
export type ResultMessage = z.infer<typeof ResultMessage>;

export const encodeMessage = <S extends z.ZodType>(schema: S, value: z.output<S>): string =>
  JSON.stringify(z.encode(schema, value));

/** Throws ZodError, or SyntaxError when the text is not JSON: the message is poison. */
export const decodeMessage = <S extends z.ZodType>(schema: S, text: string): z.output<S> =>
  z.decode(schema, JSON.parse(text) as z.input<S>);
