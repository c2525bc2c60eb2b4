import { z } from "zod";

/** What a meter can push by itself, whatever its model calls it: intervals of its load profiles, registers, alarms. */
export const PUSHED_CONTENTS = ["intervals", "registers", "alarms"] as const;
export const PushedContent = z.enum(PUSHED_CONTENTS);
export type PushedContent = z.infer<typeof PushedContent>;

/** Seconds from push to push: parts of an hour and of a day, so that every meter's clock can name the moments. */
export const PUSH_PERIODS = [900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400] as const;
export const PushPeriod = z.union(PUSH_PERIODS.map((period) => z.literal(period)));
export type PushPeriod = (typeof PUSH_PERIODS)[number];

/** Where a meter sends what it pushes: a host name or an IP address, and how. */
export const PushDestination = z.strictObject({
  host: z.string().regex(/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,98}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])$/, {
    message: "expected a host name, an IPv4 address, or an IPv6 address in brackets",
  }),
  port: z.int().min(1).max(65_535),
  /** Absent: as the headend reaches the meter. */
  transport: z.enum(["tcp", "udp"]).optional(),
});
export type PushDestination = z.infer<typeof PushDestination>;

/** How a push stands in a meter. What the meter does not show, or shows in a way that no period is, is absent. */
export const PushState = z.strictObject({
  enabled: z.boolean(),
  every: z.int().optional(),
  /** As the meter has it: `tcp host:port`, or a title. */
  destination: z.string().max(160).optional(),
});
export type PushState = z.infer<typeof PushState>;
