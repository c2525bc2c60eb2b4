import { z } from "zod";
import type { Schedule } from "./schedule.ts";

/** What a schedule is made for; each has its lane, times, retries and agreed service level. */
export const TEMPLATE_NAMES = ["billing", "billing-period", "theft", "voltage", "operations"] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];
export const TemplateName = z.enum(TEMPLATE_NAMES);

type Said = "operation" | "cron" | "lane" | "retry" | "deadlineSeconds" | "spreadSeconds" | "catchUp" | "sla";
export type ScheduleTemplate = { readonly [Field in Said]-?: NonNullable<Schedule[Field]> } & {
  readonly about: string;
};

const HOUR_S = 3600;

/** Times are those of the schedule's own zone. A schedule made of a template may replace any of it. */
export const SCHEDULE_TEMPLATES: Readonly<Record<TemplateName, ScheduleTemplate>> = {
  billing: {
    about: "Every interval of the day before, and the total registers; by 06:00 for the settlement of the morning",
    // Two hours more than a day: the day on which clocks are put back has 25.
    operation: { kind: "readIntervals", lastSeconds: 26 * HOUR_S, registers: "total" },
    cron: "0 1 * * *",
    lane: "bulk",
    retry: { passes: 8, backoffSeconds: 300 },
    deadlineSeconds: 20 * HOUR_S,
    spreadSeconds: HOUR_S,
    catchUp: { kind: "last" },
    sla: { share: 0.995, withinSeconds: 5 * HOUR_S },
  },
  "billing-period": {
    about: "What meters kept when the month ended: registers, rates and peaks",
    operation: { kind: "readBilling", lastSeconds: 48 * HOUR_S },
    cron: "0 2 1 * *",
    lane: "bulk",
    retry: { passes: 20, backoffSeconds: 900 },
    deadlineSeconds: 5 * 24 * HOUR_S,
    spreadSeconds: HOUR_S,
    catchUp: { kind: "last" },
    sla: { share: 0.995, withinSeconds: 24 * HOUR_S },
  },
  theft: {
    about: "Event logs, tampers among them, six times a day",
    operation: { kind: "readEvents", lastSeconds: 5 * HOUR_S },
    cron: "20 */4 * * *",
    lane: "bulk",
    retry: { passes: 3, backoffSeconds: 120 },
    deadlineSeconds: 4 * HOUR_S - 600,
    spreadSeconds: 1800,
    catchUp: { kind: "last" },
    sla: { share: 0.98, withinSeconds: 2 * HOUR_S },
  },
  voltage: {
    about: "Voltages now, each quarter-hour: for a feeder or a transformer, not for a fleet",
    operation: { kind: "readVoltage" },
    cron: "*/15 * * * *",
    lane: "urgent",
    retry: { passes: 2, backoffSeconds: 30 },
    deadlineSeconds: 600,
    spreadSeconds: 0,
    catchUp: { kind: "none" },
    sla: { share: 0.95, withinSeconds: 300 },
  },
  operations: {
    about: "Which network cards answer, each five minutes: for an area that is being restored or watched",
    operation: { kind: "ping", depth: "network" },
    cron: "*/5 * * * *",
    lane: "urgent",
    retry: { passes: 1, backoffSeconds: 30 },
    deadlineSeconds: 240,
    spreadSeconds: 0,
    catchUp: { kind: "none" },
    sla: { share: 0.9, withinSeconds: 120 },
  },
};

/** What a submission says, and of the rest what its template says; without a template, the submission itself. */
export function withTemplate<S extends { readonly template?: TemplateName | undefined }>(
  submission: S,
): S & Partial<Pick<Schedule, Said>> {
  if (submission.template === undefined) return submission;
  const { about: _about, ...template } = SCHEDULE_TEMPLATES[submission.template];
  const said = Object.entries(submission).filter(([, value]) => value !== undefined);
  return { ...template, ...(Object.fromEntries(said) as S) };
}
