import { parentPort } from "node:worker_threads";
import { type Block, fuzzBlock } from "./block.ts";

/** Runs blocks one after another, in a thread whose memory is bounded. */

// Most mutants end in an error that nobody reads: making its stack would be most of the work.
Error.stackTraceLimit = 3;
const port = parentPort;
port?.on("message", (block: Block) => {
  void fuzzBlock(block).then((outcome) => port.postMessage(outcome));
});
