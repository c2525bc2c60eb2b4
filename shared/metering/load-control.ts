import { z } from "zod";

/** Milliseconds since 1970-01-01T00:00Z, a whole second. */
const Instant = z.int().min(0).max(8_640_000_000_000_000).multipleOf(1000);

/** Shortest and longest period of cycling, seconds. */
const CYCLE_MIN_S = 120;
const CYCLE_MAX_S = 7_200;

/**
 * What a control point behind the meter is told, as an absolute state: said again, it changes nothing. All but `release` end
 * at `until` by the meter's own clock, whatever becomes of the headend. `cycle`: off for `offSeconds` of every `periodSeconds`,
 * beginning with off. `limit`: the controlled load is shed while the import is above so many watts.
 */
export const LoadControl = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("off"), until: Instant }),
  z
    .strictObject({
      mode: z.literal("cycle"),
      until: Instant,
      periodSeconds: z.int().min(CYCLE_MIN_S).max(CYCLE_MAX_S),
      offSeconds: z.int().min(60).max(CYCLE_MAX_S),
    })
    .refine(({ periodSeconds, offSeconds }) => offSeconds < periodSeconds, {
      message: "expected offSeconds < periodSeconds",
      path: ["offSeconds"],
    }),
  z.strictObject({ mode: z.literal("limit"), until: Instant, watts: z.int().min(1).max(10_000_000) }),
  z.strictObject({ mode: z.literal("release") }),
]);
export type LoadControl = z.infer<typeof LoadControl>;

/** What the meter itself shows of its control point after it was told: read back, never assumed. */
export const LoadControlState = z.strictObject({
  shows: z.enum(["off", "cycling", "limited", "released"]),
  /** When it ends by itself, clock ms; absent: released. */
  until: z.int().optional(),
});
export type LoadControlState = z.infer<typeof LoadControlState>;
