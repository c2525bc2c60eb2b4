import { z } from "zod";

/** The five lanes, most urgent first. `commands`: switch, limit, credit and nothing else. */
export const LANES = ["commands", "interactive", "urgent", "bulk", "images"] as const;
export const Lane = z.enum(LANES);
export type Lane = z.infer<typeof Lane>;
