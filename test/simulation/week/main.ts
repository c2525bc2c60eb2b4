import { parseArgs } from "node:util";
import { simulateWeek } from "./week.ts";

const HELP = `Simulates a week of a whole population in virtual time: sessions lost, collectors dark, devices exchanged, a clock
that is off, the end of summer time. Then every slot is counted from the meters' own logs and compared with what is stored.

Usage: node test/simulation/week/main.ts [options]
  --meters N     meters (500)
  --days N       days (7)
  --share X      of the meters that speak their protocol (0.08); the others are neutral
  --seed N       (1)
  --trace        what happens, line by line
  --json         one line at the end: { "passed", "failed", "skipped", … }
  --help

Exit 0: nothing differs; 1: something does; 2: usage.
`;

function whole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new TypeError(`--${name}: expected 1 to ${max}, got ${text}`);
  return value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      meters: { type: "string", default: "500" },
      days: { type: "string", default: "7" },
      share: { type: "string", default: "0.08" },
      seed: { type: "string", default: "1" },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const share = Number(values.share);
  if (!(share > 0 && share <= 1)) throw new TypeError(`--share: expected a share above 0, got ${values.share}`);
  const options = {
    seed: whole("seed", values.seed, 0xffff_ffff),
    meters: whole("meters", values.meters, 10_000),
    days: whole("days", values.days, 14),
    protocols: share,
    sleepers: Math.ceil(whole("meters", values.meters, 10_000) / 50),
  };
  if (options.meters * share < 2 || options.meters * (1 - share) < 20 || options.days < 2)
    throw new TypeError("expected at least two days, 2 meters with a protocol and 20 without");
  const begun = process.cpuUsage().user;
  const result = await simulateWeek(
    options,
    values.trace ? (line) => void process.stderr.write(`${line}\n`) : undefined,
  );
  const { total, reasons, verified, events, sessions, targeted, scheduled, differences, violation, steps } = result;
  const { wakes, daysCounted } = result;
  const wrong = [...(violation === undefined ? [] : [violation]), ...differences];
  const seconds = (process.cpuUsage().user - begun) / 1e6;
  process.stdout.write(
    `${total.expected} slots: ${total.present} present (${total.late} late), ${total.missing} missing (${Object.entries(
      reasons,
    )
      .map(([reason, slots]) => `${reason} ${slots}`)
      .join(", ")})
${verified} stored values as the meters have them, ${events} events
${wakes.all} wakes of modules that sleep, ${wakes.lost} lost, ${wakes.answered} answers to mails; ${daysCounted} days of key figures
${sessions.begun} sessions, ${sessions.lost} lost, ${sessions.dark} into the dark; ${scheduled} scheduled jobs, ${targeted} targeted
${steps} steps in ${seconds.toFixed(1)} s of processor time\n`,
  );
  for (const difference of wrong) process.stderr.write(`${difference}\n`);
  if (values.json)
    process.stdout.write(
      `${JSON.stringify({ passed: wrong.length === 0 ? 1 : 0, failed: wrong.length, skipped: 0, total, reasons, verified })}\n`,
    );
  return wrong.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
