import { z } from "zod";
import type { DeviceProfile } from "./profile.ts";

/** Which channel sets a meter captures from an instant on, until the next part of its plan begins. */
export const PlanPart = z.strictObject({
  /** Clock ms. */
  from: z.int(),
  /** `period`: seconds. `depth`: entries that the meter keeps; absent: not known. */
  sets: z
    .array(
      z.strictObject({
        set: z.string().min(1).max(16),
        period: z.int().min(60).max(86_400),
        depth: z.int().min(1).optional(),
      }),
    )
    .max(8),
});
export type PlanPart = z.infer<typeof PlanPart>;

/** What is expected of a meter, by effective date, ascending. Nothing is expected before its first part. */
export const ChannelPlan = z.array(PlanPart).max(32);
export type ChannelPlan = readonly PlanPart[];

/** The plan of a meter that is there no longer from `at` on: what was expected before then stays. */
export const planUntil = (plan: ChannelPlan, at: number): ChannelPlan => [
  ...plan.filter(({ from }) => from < at).slice(-31),
  { from: at, sets: [] },
];

/** From when on nothing is expected of the meter any more, clock ms; undefined: it is still there. */
export function planEnd(plan: ChannelPlan): number | undefined {
  const last = plan.at(-1);
  return last?.sets.length === 0 ? last.from : undefined;
}

/** The channel sets that a device profile describes. */
export const plannedSets = (profile: DeviceProfile): PlanPart["sets"] =>
  profile.protocol === "dlms"
    ? profile.dlms.loadProfiles.map(({ channelSet, period, depth }) => ({ set: channelSet, period, depth }))
    : profile.c1222.loadProfiles.map(({ channelSet, period }) => ({ set: channelSet, period }));
