/** Runs `task` over all items, at most `limit` at a time; rejects with the first failure, after which nothing new begins. */
export async function eachOf<T>(items: Iterable<T>, limit: number, task: (item: T) => Promise<void>): Promise<void> {
  const source = items[Symbol.iterator]();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let entry = source.next(); entry.done !== true && !failed; entry = source.next()) {
      try {
        await task(entry.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/** An array in pieces of at most `size`. */
export function* piecesOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** All of an asynchronous sequence. */
export async function collected<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of source) found.push(item);
  return found;
}
