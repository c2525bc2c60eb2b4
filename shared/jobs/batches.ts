import type { ResultBatch } from "./messages.ts";

/** Result batches as immutable objects. */
export interface Batches {
  /** Answers the object's key. The same batch again is the same object with the same content. */
  put(batch: ResultBatch): Promise<string>;
  /** Undefined: no such object. */
  get(object: string): Promise<ResultBatch | undefined>;
}
