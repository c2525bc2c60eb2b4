import { z } from "zod";
import { Commodity } from "../../metering/meter.ts";
import { BOUNDS, type Condition, conditionOptions, isBounded } from "./condition.ts";
import { METER_FIELDS, type MeterField } from "./meter-fields.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");
const anyOf = <S extends z.ZodType>(of: S) => z.array(of).min(1).max(50).optional();

/** The short form: every field that is given must match, by any of its values. */
const MemberFilter = z
  .strictObject({
    kind: z.literal("members").optional(),
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
  .refine((filter) => Object.entries(filter).some(([name, value]) => name !== "kind" && value !== undefined), {
    message: "expected at least one condition",
  });
type MemberFilter = z.infer<typeof MemberFilter>;

export type MeterCondition = Condition<MeterField>;
export type MeterFilter = MemberFilter | MeterCondition;

/** Which meters: a condition, or its short form. */
export const MeterFilter: z.ZodType<MeterFilter, MeterFilter> = z
  .discriminatedUnion("kind", [MemberFilter, ...conditionOptions(METER_FIELDS, "MeterCondition")])
  .refine((filter) => isMembers(filter as MeterFilter) || isBounded(filter as MeterCondition), {
    message: BOUNDS,
  })
  .meta({ id: "MeterFilter" }) as unknown as z.ZodType<MeterFilter, MeterFilter>;

const isMembers = (filter: MeterFilter): filter is MemberFilter =>
  filter.kind === undefined || filter.kind === "members";

/** What the filter says, in the one form that is evaluated. */
export function conditionOf(filter: MeterFilter): MeterCondition {
  if (!isMembers(filter)) return filter;
  const { kind: _, idPrefix, ...members } = filter;
  const of: MeterCondition[] = Object.entries(members).flatMap(([kind, values]) =>
    values === undefined ? [] : [{ kind: kind as keyof typeof members, in: values }],
  );
  if (idPrefix !== undefined) of.push({ kind: "meterId", startsWith: idPrefix });
  return { kind: "all", of };
}
