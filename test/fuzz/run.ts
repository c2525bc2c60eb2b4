import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Block, BlockOutcome } from "./block.ts";
import { DEPTH_MIN, DEPTHS } from "./fuzzer.ts";

const BLOCK_FRAMES = 5_000;
/** Of all frames, how many travel in conversations. */
const CONVERSATION_SHARE = 0.02;
/** A block takes well below a second: a decoder that does not come back is found by this. */
const BLOCK_MS_MAX = 60_000;
/** Of a thread, MB. Frames are small, so what needs more believes a count that it has read. */
const HEAP_MB_MAX = 192;
const THREADS_MAX = 2;
const FAILURES_MAX = 10;

export type Depth = Readonly<Record<(typeof DEPTHS)[number], number>>;
export interface Outcome {
  readonly frames: number;
  readonly failures: readonly string[];
  /** Shares of the frames that were decoded by themselves. */
  readonly depth: Depth;
}

function blocksOf(protocol: string, seed: number, frames: number): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < frames; at += BLOCK_FRAMES) {
    const size = Math.min(BLOCK_FRAMES, frames - at);
    const travelling = Math.floor(size * CONVERSATION_SHARE);
    blocks.push({ protocol, seed, block: blocks.length, alone: size - travelling, travelling });
  }
  return blocks;
}

/** One block in a thread. A thread that hangs or runs out of memory is a failure that names the block. */
function inThread(worker: Worker, block: Block): Promise<BlockOutcome> {
  return new Promise((resolve) => {
    const failed = (why: string): void => {
      stop();
      resolve({ failures: [`block ${block.block}: ${why}`], passed: DEPTHS.map(() => 0), alone: 0, travelled: 0 });
    };
    const onMessage = (outcome: BlockOutcome): void => {
      stop();
      resolve(outcome);
    };
    const onError = (error: Error & { readonly code?: string }): void =>
      failed(
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? `needed more than ${HEAP_MB_MAX} MB`
          : (error.stack ?? error.message),
      );
    const limit = setTimeout(() => failed(`did not end in ${BLOCK_MS_MAX / 1000} s`), BLOCK_MS_MAX);
    const stop = (): void => {
      clearTimeout(limit);
      worker.off("message", onMessage);
      worker.off("error", onError);
    };
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.postMessage(block);
  });
}

/** Fuzzes one protocol. The outcome depends on `seed` and `frames` alone, whatever the number of threads. */
export async function fuzz(protocol: string, seed: number, frames: number): Promise<Outcome> {
  const blocks = blocksOf(protocol, seed, frames);
  const failures: string[] = [];
  const passed = DEPTHS.map(() => 0);
  let alone = 0;
  let travelled = 0;
  const threads = Math.min(THREADS_MAX, availableParallelism(), blocks.length);
  const lane = async (): Promise<void> => {
    const worker = new Worker(join(import.meta.dirname, "worker.ts"), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    try {
      for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
        const outcome = await inThread(worker, block);
        failures.push(...outcome.failures);
        for (const [at, count] of outcome.passed.entries()) passed[at] = (passed[at] as number) + count;
        alone += outcome.alone;
        travelled += outcome.travelled;
        if (outcome.alone === 0 || failures.length >= FAILURES_MAX) return;
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, lane));
  const depth = Object.fromEntries(
    DEPTHS.map((name, at) => [name, alone === 0 ? 0 : Number(((passed[at] as number) / alone).toFixed(3))]),
  ) as Depth;
  const shallow = DEPTHS.filter((name) => depth[name] < DEPTH_MIN[name]).map(
    (name) => `only ${depth[name]} of the mutants reach ${name}, expected ${DEPTH_MIN[name]}`,
  );
  return {
    frames: alone + travelled,
    failures: [...failures, ...shallow].map((failure) => `${protocol}, seed ${seed}: ${failure}`),
    depth,
  };
}
