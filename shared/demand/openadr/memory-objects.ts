import type { StoredObject, StoredObjects } from "./objects.ts";

/** What OpenADR clients keep, in memory. */
export function memoryObjects(): StoredObjects {
  const kept = new Map<string, StoredObject>();
  return {
    put: async (object) => void kept.set(`${object.collection} ${object.id}`, object),
    read: async (collection, id) => kept.get(`${collection} ${id}`),
    list: async (collection) => [...kept.values()].filter((object) => object.collection === collection),
    remove: async (collection, id) => void kept.delete(`${collection} ${id}`),
  };
}
