import { z } from "zod";
import { Commodity, type Meter } from "./meter.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");
const anyOf = <S extends z.ZodType>(of: S) => z.array(of).min(1).max(50).optional();

/**
 * Which meters, by what the registry knows of them: every field that is given must match, by any of its values. What a
 * meter *did* (last communication, switch position, missing intervals, last reason) is not here: the fleet columns will
 * add it, as further fields, and the fleet files will spare the walk over the directory that these fields cost.
 */
export const MeterFilter = z
  .strictObject({
    commodity: anyOf(Commodity),
    profile: anyOf(Name),
    group: anyOf(Name),
    feeder: anyOf(Name),
    transformer: anyOf(Name),
    collector: anyOf(Name),
    /** The meter id begins so. */
    idPrefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected the beginning of a meter id")
      .optional(),
  })
  .refine((filter) => Object.values(filter).some((value) => value !== undefined), {
    message: "expected at least one condition",
  });
export type MeterFilter = z.infer<typeof MeterFilter>;

/** The conditions that member sets answer, without a look at the meters. */
export const SET_FIELDS = ["group", "feeder", "transformer", "collector"] as const;
export type SetField = (typeof SET_FIELDS)[number];

/** Whether member sets alone answer the filter. */
export const bySetsAlone = ({ commodity, profile, idPrefix }: MeterFilter): boolean =>
  commodity === undefined && profile === undefined && idPrefix === undefined;

const holds = <T>(asked: readonly T[] | undefined, ...has: readonly (T | undefined)[]): boolean =>
  asked === undefined || has.some((value) => value !== undefined && asked.includes(value));

/** Whether a meter matches. Pure: the same rule for planning, for previews and for tests of both. */
export function matchesFilter(
  filter: MeterFilter,
  meter: Pick<Meter, "meterId" | "commodity" | "profile" | "memberships">,
): boolean {
  const { groups, feeder, transformer, collector } = meter.memberships;
  return (
    holds(filter.commodity, meter.commodity) &&
    holds(filter.profile, meter.profile) &&
    holds(filter.group, ...groups) &&
    holds(filter.feeder, feeder) &&
    holds(filter.transformer, transformer) &&
    holds(filter.collector, collector) &&
    meter.meterId.startsWith(filter.idPrefix ?? "")
  );
}

/**
 * Whether a meter may still match by what its access item says, which is read before every dial anyway. The rest was
 * looked at when the job was planned.
 */
export const mayMatch = (
  filter: MeterFilter,
  access: { readonly meterId: string; readonly profile: { readonly name: string }; readonly collector?: string },
): boolean =>
  holds(filter.profile, access.profile.name) &&
  holds(filter.collector, access.collector) &&
  access.meterId.startsWith(filter.idPrefix ?? "");
