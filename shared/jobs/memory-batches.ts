import type { Crypto } from "../ports/crypto.ts";
import { type Batches, batchObject, batchReference } from "./batches.ts";
import { encodeMessage, ResultBatch } from "./messages.ts";

/** Result batches in memory: for simulation and for tests. */
export function memoryBatches(crypto: Crypto): Batches {
  const objects = new Map<string, string>();
  const putText: Batches["putText"] = async (name, text) => {
    const object = batchObject(batchReference(crypto, name));
    objects.set(object, text);
    return object;
  };
  return {
    put: (batch) => putText(batch, encodeMessage(ResultBatch, batch)),
    putText,
    get: async (object) => objects.get(object),
  };
}
