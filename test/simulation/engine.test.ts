import { afterAll, expect, it } from "vitest";
import { engineWorld } from "./engine-world.ts";

const SEEDS = process.env.HEADRACE_LONG === "1" ? 1000 : 40;
const STEPS = 400;

const reached = { split: 0, resent: 0 };
afterAll(() => {
  // Faults that no seed reaches prove nothing.
  expect(reached.split).toBeGreaterThan(SEEDS / 20);
  expect(reached.resent).toBeGreaterThan(SEEDS / 4);
});

it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "accounts for every task once, loses no accepted reading and comes to rest (seed %i)",
  async (seed) => {
    const world = await engineWorld(seed);
    for (let step = 0; step < STEPS; step++) {
      await world.step(0.03);
      await world.check();
    }
    await world.readings();
    for (let step = 0; (await world.job()).state !== "closed"; step++) {
      expect(step, "the faults have stopped: everything comes to rest").toBeLessThan(5000);
      await world.step(0);
      await world.check();
    }
    await world.readings();
    const { ones, generation } = await world.reached();
    if (ones > 0) reached.split++;
    if (generation > 1) reached.resent++;
  },
);
