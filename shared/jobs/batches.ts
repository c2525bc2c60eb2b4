import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { ResultBatch } from "./messages.ts";
import type { PushBatch } from "./push-message.ts";

/** What tells a batch from all others: of a slice's results, or of what meters said by themselves. */
export type BatchName =
  | Pick<ResultBatch, "job" | "segment" | "part" | "batch">
  | (Pick<PushBatch, "segment" | "batch"> & { readonly job?: never });

/** Result batches as immutable objects: the evidence that stored readings refer to. */
export interface Batches {
  /** Answers the object's key. The same batch again is the same object with the same content. */
  put(batch: ResultBatch): Promise<string>;
  /** The same for a batch as it came. */
  putText(name: BatchName, text: string): Promise<string>;
  /** The text of a batch; undefined: no such object. */
  get(object: string): Promise<string | undefined>;
}

/**
 * 8 octets as 16 hex digits; readings refer to their batch by it. Pushes: a day block refers to as many batches as there
 * are pushes in the day, so theirs differ in little: a number that rises by one with each batch (4 octets, the least
 * significant first, from a start that the run's name says), then what the run's name hashes to. All others are hashes.
 */
export function batchReference(crypto: Crypto, name: BatchName): string {
  const { segment, batch } = name;
  const hash = (parts: readonly unknown[]): Uint8Array =>
    crypto.hash("sha256", new TextEncoder().encode(JSON.stringify(parts)));
  if (name.job !== undefined) return toHex(hash([name.job, segment, name.part, batch]).subarray(0, 8));
  const [, run, number] = /^(.+)-(\d{1,9})$/.exec(batch) ?? [];
  if (run === undefined) return toHex(hash([segment, batch]).subarray(0, 8));
  const reference = hash([run]).slice(0, 8);
  const view = new DataView(reference.buffer);
  view.setUint32(0, (view.getUint32(0) + Number(number)) >>> 0, true);
  return toHex(reference);
}

/** The object's key, which follows from the reference alone. */
export const batchObject = (reference: string): string => `batches/${reference.slice(0, 2)}/${reference}.json`;
