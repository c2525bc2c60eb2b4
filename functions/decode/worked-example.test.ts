import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const PAGE = fileURLToPath(new URL("../../docs/how-to/decode-a-frame.md", import.meta.url));
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const run = promisify(execFile);

/** Commands of the page, each with the output that stands under it. */
const page = await readFile(PAGE, "utf8");
const examples = [...page.matchAll(/```sh\n(npm run -s decode -- [^`]+?)\n```\s+[^`]*?```json\n([^`]+?)\n```/g)].map(
  ([, command = "", output = ""]) => ({ command, output }),
);

describe("the page on decoding", () => {
  it("shows examples", () => expect(examples.length).toBeGreaterThanOrEqual(2));

  it.each(examples)("shows what $command prints", async ({ command, output }) => {
    const args = command.replaceAll(/\\\n/g, " ").trim().split(/\s+/).slice(5);
    const { stdout } = await run(process.execPath, [MAIN, ...args]).catch((error: { stdout: string }) => error);
    expect(JSON.parse(output)).toEqual(JSON.parse(stdout));
  });
});
