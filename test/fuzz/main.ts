import { parseArgs } from "node:util";
import { frameLayers } from "../../functions/decode/frame-layers.ts";
import type { JsonObject } from "../../functions/decode/json.ts";
import { Wrapper } from "../../shared/dlms/wrapper.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { type Random, seeded } from "../../shared/ports/random.ts";
import { decode } from "../../shared/wire/codec.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { fuzzedConversation } from "./dlms-conversation.ts";
import { KEYS, mutantFrame, TITLE } from "./dlms-frames.ts";

const HELP = `Mutates frames and whole conversations: decoders answer a value or a WireError, the client ends with a result or a
typed error, the meter's side never throws.

Usage: npm run -s fuzz -- [--frames N] [--seed S] [--json]
  --frames N  mutated frames (100000)
  --seed S    (1); a failing frame is printed with its seed
  --json      one line: { "frames", "seed", "passed", "failed", "skipped", "failures", "depth": { "framing", "apdu", "data" } }
  --help

Exit 0: nothing failed and the mutants reached deep enough; 1 otherwise; 2: usage.
`;

/** Shares of the mutants that must at least get so far, or the run says nothing. */
const DEPTH_MIN = { framing: 0.3, apdu: 0.1, data: 0.05 } as const;
/** Of all frames, how many travel in conversations. */
const CONVERSATION_SHARE = 0.1;
const FAILURES_MAX = 10;

interface Depth {
  framing: number;
  apdu: number;
  data: number;
}

const SECRETS = {
  keys: [KEYS.encryption],
  authenticationKeys: [KEYS.authentication],
  dedicatedKeys: [],
  titles: [TITLE],
};
const holdsData = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  (("type" in value && "value" in value) || Object.values(value).some(holdsData));

/** Decodes one mutant; throws what is no WireError. */
function decodeMutant(frame: Uint8Array, depth: Depth): void {
  try {
    decode(Wrapper, frame);
    depth.framing++;
    const layers: readonly JsonObject[] = frameLayers(frame, "wrapper", SECRETS);
    if (layers.some(({ layer }) => layer === "ciphered")) return;
    depth.apdu++;
    if (layers.some(holdsData)) depth.data++;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

async function fuzz(
  frames: number,
  random: Random,
): Promise<{ readonly failures: readonly string[]; readonly depth: Depth; readonly done: number }> {
  const failures: string[] = [];
  const depth: Depth = { framing: 0, apdu: 0, data: 0 };
  const alone = Math.ceil(frames * (1 - CONVERSATION_SHARE));
  for (let index = 0; index < alone && failures.length < FAILURES_MAX; index++) {
    const frame = mutantFrame(random);
    try {
      decodeMutant(frame, depth);
    } catch (error) {
      failures.push(`${error instanceof Error ? error.message : String(error)}: ${toHex(frame)}`);
    }
  }
  let travelled = 0;
  for (let round = 0; travelled < frames - alone && failures.length < FAILURES_MAX; round++)
    try {
      travelled += await fuzzedConversation(random, round);
    } catch (error) {
      travelled++;
      failures.push(`conversation ${round}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  const share = (count: number): number => Number((count / alone).toFixed(3));
  return {
    failures,
    depth: { framing: share(depth.framing), apdu: share(depth.apdu), data: share(depth.data) },
    done: alone + travelled,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      frames: { type: "string" },
      seed: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const frames = Number(values.frames ?? 100_000);
  const seed = Number(values.seed ?? 1);
  if (!Number.isSafeInteger(frames) || frames < 1 || !Number.isSafeInteger(seed))
    throw new TypeError("expected --frames and --seed as whole numbers");
  const { failures, depth, done } = await fuzz(frames, seeded(seed));
  const shallow = Object.entries(DEPTH_MIN).filter(([name, least]) => depth[name as keyof Depth] < least);
  const all = [
    ...failures,
    ...shallow.map(
      ([name, least]) => `only ${depth[name as keyof Depth]} of the mutants reach ${name}, expected ${least}`,
    ),
  ];
  for (const failure of all) process.stderr.write(`seed ${seed}: ${failure}\n`);
  if (values.json === true)
    process.stdout.write(
      `${JSON.stringify({ frames: done, seed, passed: done - failures.length, failed: all.length, skipped: 0, failures: all, depth })}\n`,
    );
  else
    process.stdout.write(
      `${done} mutants, ${all.length} failures; ${Object.entries(depth)
        .map(([name, share]) => `${name} ${share}`)
        .join(", ")}\n`,
    );
  return all.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
