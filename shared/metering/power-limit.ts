import { z } from "zod";

const Watts = z.int().min(1).max(10_000_000);
const Seconds = z.int().min(0).max(86_400);

/** What a meter allows of a connection, and what it does about more. */
export const PowerLimit = z.strictObject({
  /** Above this the load is too high, W. */
  watts: Watts,
  /** So long above it before the meter acts, seconds. */
  overSeconds: Seconds,
  /** So long below it again before the meter acts on that, seconds. */
  underSeconds: Seconds,
  over: z.enum(["disconnect", "none"]),
  under: z.enum(["reconnect", "none"]),
});
export type PowerLimit = z.infer<typeof PowerLimit>;

/** A limit that takes the place of the normal one for a time, with the same durations and actions. */
export const EmergencyLimit = z.strictObject({
  profileId: z.int().min(0).max(0xffff),
  watts: Watts,
  /** Clock ms, a whole second. */
  activateAt: z.int().min(0).max(8_640_000_000_000_000),
  durationSeconds: z
    .int()
    .min(1)
    .max(31 * 86_400),
  /** Emergency profiles that the meter takes part in. */
  groupIds: z
    .array(z.int().min(0).max(0xffff))
    .min(1)
    .max(16)
    .refine((ids) => new Set(ids).size === ids.length, "expected each group once"),
});
export type EmergencyLimit = z.infer<typeof EmergencyLimit>;

/** What a meter shows of its limits; null: none is set. */
export const PowerLimitShown = z.strictObject({
  limit: PowerLimit.extend({
    watts: z.number(),
    overSeconds: z.int(),
    underSeconds: z.int(),
    /** `other`: an action that the device profile does not know. */
    over: z.enum(["disconnect", "none", "other"]),
    under: z.enum(["reconnect", "none", "other"]),
  }).nullable(),
  emergency: z
    .strictObject({
      profileId: z.int(),
      watts: z.number().nullable(),
      activateAt: z.int().nullable(),
      durationSeconds: z.int(),
      groupIds: z.array(z.int()).max(256),
    })
    .nullable(),
  emergencyActive: z.boolean(),
  /** In force now, W; null: none. */
  activeWatts: z.number().nullable(),
});
export type PowerLimitShown = z.infer<typeof PowerLimitShown>;

/** Whether the meter shows what was asked for; of an emergency only where it was named. */
export function limitShown(
  { limit, emergency }: { readonly limit: PowerLimit | null; readonly emergency?: EmergencyLimit | null | undefined },
  shown: PowerLimitShown,
): boolean {
  const same = <T extends object>(wanted: T | null, got: object | null): boolean =>
    wanted === null || got === null
      ? wanted === got
      : Object.entries(wanted).every(([key, value]) => {
          const found = (got as Readonly<Record<string, unknown>>)[key];
          return Array.isArray(value)
            ? Array.isArray(found) && JSON.stringify([...value].sort()) === JSON.stringify([...found].sort())
            : found === value;
        });
  return same(limit, shown.limit) && (emergency === undefined || same(emergency, shown.emergency));
}
