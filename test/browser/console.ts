import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Deployment } from "../e2e/deployment.ts";
import { findChromium, launchChromium, NO_BROWSER } from "./chromium.ts";
import { type JourneyResult, walk } from "./journey.ts";
import { watchedPage } from "./watched-page.ts";

const HELP = `Drives the console of a running deployment in a real browser, or of one that it starts itself.

Usage: node test/browser/console.ts [options]
  --url URL          console of a running deployment (else: npm start is run for the test)
  --user NAME        who signs in (needed with --url)
  --password TEXT    (needed with --url)
  --meters N         how many meters to start with, without --url (50)
  --shots DIR        write a screenshot of each step there
  --json             the result as one line of JSON
  --help
The browser: CHROMIUM, else chromium on PATH. Without one: skipped, or with CI=true a failure.
`;

interface Target {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly stop: () => Promise<unknown>;
}

async function startedFor(meters: string): Promise<Target> {
  const deployment = await Deployment.start(["--meters", meters]);
  const person = deployment.info.users.find(({ role }) => role === "operator");
  if (person === undefined) throw new Error("npm start named no user with the role operator");
  const { name: user, password } = person;
  return { url: deployment.info.console, user, password, stop: () => deployment.stop() };
}

/** Where the console's settings send people to sign in. */
async function issuerOf(url: string): Promise<string> {
  const response = await fetch(new URL("/config.json", url));
  const { issuer } = (await response.json()) as { issuer?: string };
  if (!response.ok || issuer === undefined) throw new Error(`${url}/config.json: expected an issuer`);
  return issuer;
}

async function drive(target: Target, executable: string, shots: string | undefined): Promise<JourneyResult> {
  const origins = [new URL(target.url).origin, new URL(await issuerOf(target.url)).origin];
  const browser = await launchChromium(executable);
  try {
    const watched = await watchedPage(browser, origins);
    if (shots !== undefined) mkdirSync(shots, { recursive: true });
    const result = await walk(watched, {
      ...target,
      readTimeoutMs: 180_000,
      onStep: async (step, page) => {
        process.stderr.write(`${step}\n`);
        if (shots !== undefined) await page.screenshot({ path: join(shots, `${step}.png`) });
      },
    });
    if (watched.complaints.length > 0) throw new Error(watched.complaints.join("\n"));
    if (result.curvePixels < 1000) throw new Error(`the curve has only ${result.curvePixels} pixels`);
    return result;
  } finally {
    await browser.close();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      user: { type: "string" },
      password: { type: "string" },
      meters: { type: "string", default: "50" },
      shots: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const executable = findChromium();
  if (executable === undefined) {
    process.stderr.write(`test/browser/console.ts ${NO_BROWSER}\n`);
    return process.env.CI === "true" ? 1 : 0;
  }
  const { url, user, password } = values;
  if (url !== undefined && (user === undefined || password === undefined))
    throw new TypeError("--url: expected --user and --password with it");
  const target =
    url === undefined || user === undefined || password === undefined
      ? await startedFor(values.meters)
      : { url, user, password, stop: async () => {} };
  try {
    const result = await drive(target, executable, values.shots);
    process.stdout.write(
      values.json
        ? `${JSON.stringify(result)}\n`
        : `${result.meters} meters in the fleet; read: ${result.outcome}; curve of ${result.meterId}: ${result.curvePixels} pixels\n`,
    );
    return 0;
  } finally {
    await target.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
