import { z } from "zod";
import { MeterFilter } from "../metering/meter-filter.ts";
import { Caller } from "./job.ts";

/** A filter saved under a name: a target of jobs and schedules, which find the meters that match when they are planned. */
export const StoredQuery = z.strictObject({
  name: z.string().min(1).max(64),
  description: z.string().max(200).optional(),
  filter: MeterFilter,
  caller: Caller,
  /** Clock ms. */
  createdAt: z.int(),
});
export type StoredQuery = z.infer<typeof StoredQuery>;

/** Stored queries. Keys live in `functions/adapters/dynamo-named.ts`. */
export interface StoredQueries {
  /** If absent: a query never changes under its name; whoever wants another one makes another one. */
  create(query: StoredQuery): Promise<"created" | "exists">;
  /** Strongly consistent. */
  read(name: string): Promise<StoredQuery | undefined>;
  /** By name, ascending. */
  list(): Promise<readonly StoredQuery[]>;
  remove(name: string): Promise<void>;
}
