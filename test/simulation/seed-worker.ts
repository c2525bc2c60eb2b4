import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { addSeed, noSeeds } from "./seed-range.ts";

/** Works through every `step`-th seed; tells what came of each piece, so that progress shows. */
const { from, to, step } = z.object({ from: z.int(), to: z.int(), step: z.int() }).parse(workerData);
const PIECE = 50;

let piece = noSeeds();
for (let seed = from; seed <= to; seed += step) {
  await addSeed(piece, seed);
  if (piece.seeds < PIECE) continue;
  parentPort?.postMessage(piece);
  piece = noSeeds();
}
parentPort?.postMessage(piece);
