import type { CallInput } from "../api/client.ts";

export type ScheduleSent = CallInput<"createSchedule">["request"];
export type PreviewSent = CallInput<"previewSchedule">["request"];

/** What the form holds: text as it was typed. */
export interface ScheduleChoice {
  readonly name: string;
  readonly what: "intervals" | "registers" | "ping";
  readonly target: "all" | "group" | "query";
  readonly group: string;
  readonly query: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly spreadMinutes: string;
  readonly catchUp: "none" | "last" | "all";
  readonly calendars: readonly string[];
  readonly inBlackout: "skip" | "move";
}

export const EMPTY: Omit<ScheduleChoice, "timeZone"> = {
  name: "",
  what: "intervals",
  target: "all",
  group: "",
  query: "",
  cron: "0 2 * * *",
  spreadMinutes: "0",
  catchUp: "last",
  calendars: [],
  inBlackout: "skip",
};

/** Often wanted recurrences, to begin with. */
export const PRESETS: readonly (readonly [string, string])[] = [
  ["*/15 * * * *", "every 15 minutes"],
  ["0 * * * *", "every hour"],
  ["0 2 * * *", "every day at 02:00"],
  ["0 6 * * 1-5", "on working days at 06:00"],
  ["0 3 1 * *", "on the first of the month at 03:00"],
];

const SPREAD_MAX_MINUTES = 360;
const CATCH_UP_MAX = 24;
const DAY_SECONDS = 86_400;

const blackoutsOf = ({ calendars, inBlackout }: ScheduleChoice) =>
  calendars.length === 0 ? {} : { blackouts: { calendars: [...calendars], runs: inBlackout } };

/** What the headend is asked about the next runs; undefined while that cannot be a recurrence. */
export function previewRequest(choice: ScheduleChoice, count: number): PreviewSent | undefined {
  const cron = choice.cron.trim();
  const timeZone = choice.timeZone.trim();
  if (cron.split(/\s+/).length !== 5 || cron.length < 9 || timeZone === "") return undefined;
  return { cron, timeZone, count, ...blackoutsOf(choice) };
}

/** The first field that is not as expected. */
export function scheduleRefusal(
  choice: ScheduleChoice,
): { readonly field: "name" | "group" | "query" | "cron" | "spread"; readonly expected: string } | undefined {
  if (choice.name.trim() === "") return { field: "name", expected: "Give the schedule a name." };
  if (choice.target === "group" && choice.group === "") return { field: "group", expected: "Choose a group." };
  if (choice.target === "query" && choice.query === "") return { field: "query", expected: "Choose a query." };
  if (previewRequest(choice, 1) === undefined)
    return { field: "cron", expected: "Five fields are expected: minute, hour, day of month, month, day of week." };
  const spread = Number(choice.spreadMinutes);
  if (!Number.isInteger(spread) || spread < 0 || spread > SPREAD_MAX_MINUTES)
    return { field: "spread", expected: `A whole number of minutes from 0 to ${SPREAD_MAX_MINUTES} is expected.` };
  return undefined;
}

function operationOf(what: ScheduleChoice["what"]): ScheduleSent["operation"] {
  switch (what) {
    case "intervals":
      return { kind: "readIntervals", lastSeconds: DAY_SECONDS, registers: "total" };
    case "registers":
      return { kind: "readRegisters" };
    case "ping":
      return { kind: "ping", depth: "meter" };
  }
}

function targetOf({ target, group, query }: ScheduleChoice): ScheduleSent["target"] {
  switch (target) {
    case "all":
      return { kind: "all" };
    case "group":
      return { kind: "group", group };
    case "query":
      return { kind: "query", query };
  }
}

/** The schedule that a form asks for; the form has been looked through before. */
export const scheduleRequest = (choice: ScheduleChoice): ScheduleSent => ({
  name: choice.name.trim(),
  operation: operationOf(choice.what),
  target: targetOf(choice),
  cron: choice.cron.trim(),
  timeZone: choice.timeZone.trim(),
  ...(Number(choice.spreadMinutes) === 0 ? {} : { spreadSeconds: Number(choice.spreadMinutes) * 60 }),
  catchUp: choice.catchUp === "all" ? { kind: "all", max: CATCH_UP_MAX } : { kind: choice.catchUp },
  ...blackoutsOf(choice),
});
