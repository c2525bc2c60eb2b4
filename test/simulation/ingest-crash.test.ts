import { describe, expect, it } from "vitest";
import { below, chance, type Random, seeded } from "../../shared/ports/random.ts";
import { type IngestTown, ingestTown, isPushed, type Step } from "./ingest-town.ts";

const SEEDS = 2;
const PAIRED_SEEDS = 20;
const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

/** Takes all messages one after the other; the process ends at its `at`-th step, and the message comes again. */
async function killedAt(town: IngestTown, at: number, names: string[] = []): Promise<void> {
  let steps = 0;
  const next = town.bodies.values();
  for (const body of next) {
    let killed = false;
    const ended = new Promise<void>((resolve) => {
      const step: Step = async (what) => {
        if (killed) await new Promise<never>(() => {});
        names.push(what);
        if (++steps !== at) return;
        killed = true;
        resolve();
        await new Promise<never>(() => {});
      };
      void town.take(body, step).then(resolve);
    });
    await ended;
    if (killed) await town.take(body, async () => undefined);
  }
}

interface Invocation {
  readonly body: string;
}

/** Messages come twice and at once; whose turn it is, and who ends where, is drawn. */
async function interleaved(town: IngestTown, random: Random, bodies = town.bodies): Promise<void> {
  const left = [...bodies, ...bodies];
  const again: string[] = [];
  const running = new Set<Invocation>();
  let waiting: { readonly of: Invocation; readonly go: () => void }[] = [];
  const end = (invocation: Invocation, failed: boolean): void => {
    if (failed) again.push(invocation.body); // the queue brings it again
    running.delete(invocation);
    waiting = waiting.filter(({ of }) => of !== invocation); // nothing of it goes on
  };
  const start = (body: string): void => {
    const of: Invocation = { body };
    running.add(of);
    const step: Step = () => new Promise((go) => running.has(of) && waiting.push({ of, go }));
    void town.take(body, step).then(
      () => end(of, false),
      () => end(of, true),
    );
  };
  while (left.length > 0 || running.size > 0) {
    while (running.size < 2 && left.length > 0) start(left.splice(below(random, left.length), 1)[0] ?? "");
    await new Promise((settled) => process.nextTick(settled));
    const [one] = waiting.splice(below(random, Math.max(1, waiting.length)), 1);
    if (one === undefined) continue;
    if (chance(random, 0.97)) one.go();
    else end(one.of, true);
  }
  for (const body of again) await town.take(body, async () => undefined);
}

const undisturbed = async (
  seed: number,
  replays = true,
): Promise<{ readonly kept: string; readonly names: readonly string[] }> => {
  const names: string[] = [];
  const town = await ingestTown(seed, replays);
  await killedAt(town, 0, names);
  return { kept: await town.kept(), names };
};

describe("ingest that ends between any two of its effects", () => {
  it.each(seeds)(
    "keeps all that came, once: batches of seed %i",
    async (seed) => {
      const { kept, names } = await undisturbed(seed);
      expect(names.length).toBeGreaterThan(40);
      for (let at = 1; at <= names.length; at++) {
        const town = await ingestTown(seed);
        await killedAt(town, at);
        expect(await town.kept(), `killed ${names[at - 1]}`).toBe(kept);
        const readings = await town.readings();
        expect(new Set(readings).size).toBe(readings.length);
      }
    },
    60_000,
  );

  it("passes every effect that it has: counters, blocks, records, columns, timelines, alarms, outcomes", async () => {
    const names = new Set(
      (await Promise.all(seeds.map((seed) => undisturbed(seed)))).flatMap(({ names: passed }) => passed),
    );
    for (const effect of ["batches.putText", "blocks.write", "blocks.keep", "records.write", "timeline.add"])
      expect(names).toContain(`after ${effect}`);
    for (const effect of ["alarms.raise", "columns.write", "pushes.write", "lake.mark", "ledger.writeSlice"])
      expect(names).toContain(`after ${effect}`);
  });

  it("does so when messages come twice and two invocations work at once", async () => {
    for (let seed = 0; seed < PAIRED_SEEDS; seed++) {
      // Of a push and its replay the one that is first is the push: not with batches in any order.
      const { kept } = await undisturbed(seed, false);
      const town = await ingestTown(seed, false);
      await interleaved(town, seeded(`interleaved ${seed}`));
      expect(valuesOf(await town.kept()), `seed ${seed}`).toEqual(valuesOf(kept));
    }
  });

  it("takes a push and its replay as one, when both come twice and at once", async () => {
    for (let seed = 0; seed < PAIRED_SEEDS; seed++) {
      const town = await ingestTown(seed);
      await interleaved(town, seeded(`replayed ${seed}`), town.bodies.slice(-2));
      const { values, events } = JSON.parse(await town.kept()) as { values: string[]; events: string[][] };
      const brought = (slot: number): number => values.filter((value) => isPushed(value, slot)).length;
      expect([brought(0), brought(1), brought(2)], `seed ${seed}`).toEqual([2, 1, 2]);
      const alarms = events.map((entries) => entries.filter((text) => text.includes("security.push-replayed")).length);
      expect(alarms, `seed ${seed}`).toEqual([0, 1, 0]);
    }
  });
});

/** Without what lost to what: that follows the order in which batches came. */
function valuesOf(kept: string): unknown {
  const { superseded: _superseded, ...rest } = JSON.parse(kept) as Record<string, unknown>;
  return rest;
}
