import { z } from "zod";

/**
 * A service level: of what a run was to bring (intervals of a read of intervals, else tasks), this share (0 to 1) is there
 * so many seconds after its planned instant.
 */
export const Sla = z.strictObject({
  share: z.number().gt(0).max(1),
  withinSeconds: z
    .int()
    .min(60)
    .max(7 * 86_400),
});
export type Sla = z.infer<typeof Sla>;
