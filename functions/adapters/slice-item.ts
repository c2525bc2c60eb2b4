import { z } from "zod";
import { effectsOf, storedEffects } from "../../shared/jobs/effect-record.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { Lane } from "../../shared/jobs/lane.ts";
import { partitionOf } from "../../shared/jobs/partitions.ts";
import type { Slice, SliceKey } from "../../shared/jobs/slice.ts";
import { dueAt, dueMinute, dueShard, MINUTE_MS } from "../../shared/jobs/slice-due.ts";
import { SEGMENT_SLOTS } from "../../shared/metering/meter.ts";
import { assert } from "../../shared/ports/errors.ts";

/** The sparse index over `duePk`: only slices that the sweep has to look at carry it. */
export const DUE_INDEX = "due";

export const slicePartition = (jobId: string, partition: number): string => `L#${jobId}#${partition}`;
export const duePartition = (minute: number, shard: number): string => `due#${minute}#${shard}`;

/** `L#<job>#<segment mod 64>` / `<segment, 8 digits>#<part, 4 digits>`. */
export const sliceKey = ({ jobId, segment, part }: SliceKey): { readonly pk: string; readonly sk: string } => ({
  pk: slicePartition(jobId, partitionOf(segment)),
  sk: `${String(segment).padStart(8, "0")}#${String(part).padStart(4, "0")}`,
});

const ItemKey = z.object({
  pk: z.string().regex(/^L#[0-9a-z]+#\d{1,2}$/),
  sk: z.string().regex(/^\d{8}#\d{4}$/),
});

/** The key back from an item or a projection of it. Throws ZodError when it is no slice. */
export function sliceKeyOf(item: unknown): SliceKey {
  const { pk, sk } = ItemKey.parse(item);
  return {
    jobId: JobId.parse(pk.split("#")[1]),
    segment: Number(sk.slice(0, 8)),
    part: Number(sk.slice(9)),
  };
}

const Octets = z.instanceof(Uint8Array);
const SliceItem = z.object({
  state: z.enum(["planned", "queued", "working", "resting", "closed"]),
  lane: Lane,
  generation: z.int().min(1),
  version: z.int().min(1),
  slots: Octets.refine((octets) => octets.length === SEGMENT_SLOTS, `expected ${SEGMENT_SLOTS} octets`),
  intent: Octets.optional(),
  effects: z.unknown().optional(),
  moved: Octets.optional(),
  leaseOwner: z.string().optional(),
  leaseUntil: z.int().optional(),
  passes: z.int().min(0),
  uncleanEnds: z.int().min(0),
  nextAttempt: z.int().optional(),
  sentAt: z.int().optional(),
  deadline: z.int(),
});

/** A slice as stored. `now` (clock ms) keeps the due mark out of minutes that were swept already. */
export function sliceItem(slice: Slice, now: number): Record<string, unknown> {
  assert(slice.slots.length === SEGMENT_SLOTS, "a slice has one octet a slot of its segment");
  const { jobId: _jobId, segment: _segment, part: _part, lease, effects, ...fields } = slice;
  const at = dueAt(slice);
  const minute = at === undefined ? undefined : Math.max(dueMinute(at), Math.floor(now / MINUTE_MS));
  return {
    ...sliceKey(slice),
    ...fields,
    ...(effects === undefined ? {} : { effects: storedEffects(effects) }),
    ...(lease === undefined ? {} : { leaseOwner: lease.owner, leaseUntil: lease.until }),
    ...(minute === undefined ? {} : { duePk: duePartition(minute, dueShard(slice)) }),
  };
}

/** Throws ZodError when the item is not a slice of this version of the product. */
export function sliceOf(item: unknown): Slice {
  const key = sliceKeyOf(item);
  const { leaseOwner, leaseUntil, intent, effects, moved, nextAttempt, sentAt, ...fields } = SliceItem.parse(item);
  return {
    ...key,
    ...fields,
    ...(intent === undefined ? {} : { intent }),
    ...(effects === undefined ? {} : { effects: effectsOf(effects) }),
    ...(moved === undefined ? {} : { moved }),
    ...(leaseOwner === undefined || leaseUntil === undefined
      ? {}
      : { lease: { owner: leaseOwner, until: leaseUntil } }),
    ...(nextAttempt === undefined ? {} : { nextAttempt }),
    ...(sentAt === undefined ? {} : { sentAt }),
  };
}
