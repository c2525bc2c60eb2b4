import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { goTo } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { useMay } from "../sign-in/use-session.ts";
import { RunPreview } from "./run-preview.tsx";
import { EMPTY, PRESETS, type ScheduleChoice, scheduleRefusal, scheduleRequest } from "./schedule-request.ts";

interface SelectProps<Value extends string> {
  readonly id: string;
  readonly text: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly choose: (value: Value) => void;
}

function Select<Value extends string>({ id, text, value, options, choose }: SelectProps<Value>) {
  return (
    <div className="field">
      <label htmlFor={id}>{text}</label>
      <select id={id} value={value} onChange={(event) => choose(event.target.value as Value)}>
        {options.map(([one, shown]) => (
          <option key={one} value={one}>
            {shown}
          </option>
        ))}
      </select>
    </div>
  );
}

interface TextProps {
  readonly id: string;
  readonly text: string;
  readonly value: string;
  readonly refused: boolean;
  readonly change: (value: string) => void;
}

function Text({ id, text, value, refused, change }: TextProps) {
  return (
    <div className="field">
      <label htmlFor={id}>{text}</label>
      <input
        id={id}
        autoComplete="off"
        spellCheck={false}
        maxLength={120}
        value={value}
        aria-invalid={refused}
        aria-describedby={refused ? "schedule-refusal" : undefined}
        onChange={(event) => change(event.target.value)}
      />
    </div>
  );
}

const choose = (names: readonly string[] | undefined): readonly (readonly [string, string])[] => [
  ["", "Choose…"],
  ...(names ?? []).map((name) => [name, name] as const),
];

/** Makes a schedule, and shows its next runs while it is being written. */
export default function NewSchedulePage() {
  const api = useApi();
  const queries = useQueryClient();
  const may = useMay("createSchedule");
  const [choice, setChoice] = useState<ScheduleChoice>(() => ({
    ...EMPTY,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }));
  const [tried, setTried] = useState(false);
  const change = (part: Partial<ScheduleChoice>) => setChoice({ ...choice, ...part });
  const groups = useQuery({ queryKey: ["listGroups"], queryFn: ({ signal }) => api("listGroups", {}, { signal }) });
  const stored = useQuery({ queryKey: ["listQueries"], queryFn: ({ signal }) => api("listQueries", {}, { signal }) });
  const calendars = useQuery({
    queryKey: ["listCalendars"],
    queryFn: ({ signal }) => api("listCalendars", {}, { signal }),
  });
  const create = useMutation({
    mutationFn: () => api("createSchedule", { request: scheduleRequest(choice) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["listSchedules"] });
      goTo("/schedules");
    },
  });
  const refusal = tried ? scheduleRefusal(choice) : undefined;
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    const refused = scheduleRefusal(choice);
    if (refused === undefined) create.mutate();
    else document.getElementById(`schedule-${refused.field}`)?.focus();
  };
  const isRefused = (field: string) => refusal?.field === field;
  if (!may)
    return (
      <>
        <PageHead title="New schedule" />
        <p className="notice">Your role makes no schedules. Operators, supervisors and analysts do.</p>
      </>
    );
  const named = calendars.data?.calendars ?? [];
  return (
    <>
      <PageHead title="New schedule" about="What the headend asks of meters by itself" />
      <form className="card" onSubmit={send} noValidate>
        <div className="columns">
          <fieldset>
            <legend>What</legend>
            <Text
              id="schedule-name"
              text="Name"
              value={choice.name}
              refused={isRefused("name")}
              change={(name) => change({ name })}
            />
            <Select
              id="schedule-what"
              text="It reads"
              value={choice.what}
              options={[
                ["intervals", "intervals of the last 24 hours, and the totals"],
                ["registers", "all registers"],
                ["ping", "nothing: it pings the meter"],
              ]}
              choose={(what) => change({ what })}
            />
            <Select
              id="schedule-target"
              text="Of"
              value={choice.target}
              options={[
                ["all", "all meters"],
                ["group", "a group"],
                ["query", "a stored query"],
              ]}
              choose={(target) => change({ target })}
            />
            {choice.target === "group" && (
              <Select
                id="schedule-group"
                text="Group"
                value={choice.group}
                options={choose(groups.data?.groups.map(({ group }) => group))}
                choose={(group) => change({ group })}
              />
            )}
            {choice.target === "query" && (
              <Select
                id="schedule-query"
                text="Query"
                value={choice.query}
                options={choose(stored.data?.queries.filter(({ over }) => over === "meters").map(({ name }) => name))}
                choose={(query) => change({ query })}
              />
            )}
          </fieldset>
          <fieldset>
            <legend>When</legend>
            <Select
              id="schedule-preset"
              text="Begin with"
              value={PRESETS.some(([cron]) => cron === choice.cron) ? choice.cron : ""}
              options={[["", "another recurrence"], ...PRESETS]}
              choose={(cron) => cron !== "" && change({ cron })}
            />
            <Text
              id="schedule-cron"
              text="Minute, hour, day of month, month, day of week"
              value={choice.cron}
              refused={isRefused("cron")}
              change={(cron) => change({ cron })}
            />
            <Text
              id="schedule-zone"
              text="Time zone"
              value={choice.timeZone}
              refused={false}
              change={(timeZone) => change({ timeZone })}
            />
            <Text
              id="schedule-spread"
              text="Start spread over minutes"
              value={choice.spreadMinutes}
              refused={isRefused("spread")}
              change={(spreadMinutes) => change({ spreadMinutes })}
            />
            <Select
              id="schedule-catch-up"
              text="Runs missed in a downtime"
              value={choice.catchUp}
              options={[
                ["last", "the newest, reaching back over the others"],
                ["none", "none of them"],
                ["all", "each of them, the newest 24"],
              ]}
              choose={(catchUp) => change({ catchUp })}
            />
            {named.map(({ name }) => (
              <label key={name} className="choice">
                <input
                  type="checkbox"
                  checked={choice.calendars.includes(name)}
                  onChange={(event) =>
                    change({
                      calendars: event.target.checked
                        ? [...choice.calendars, name]
                        : choice.calendars.filter((one) => one !== name),
                    })
                  }
                />
                not in {name}
              </label>
            ))}
            {choice.calendars.length > 0 && (
              <Select
                id="schedule-blackout"
                text="A run in a blackout is"
                value={choice.inBlackout}
                options={[
                  ["skip", "skipped"],
                  ["move", "moved to its end"],
                ]}
                choose={(inBlackout) => change({ inBlackout })}
              />
            )}
          </fieldset>
        </div>
        {refusal !== undefined && (
          <p className="refusal" id="schedule-refusal" role="alert">
            {refusal.expected}
          </p>
        )}
        <RunPreview choice={choice} />
        {create.isError && <ProblemView error={create.error} />}
        <div className="row">
          <button type="submit" className="primary" disabled={create.isPending}>
            {create.isPending ? "Saving…" : "Save the schedule"}
          </button>
        </div>
      </form>
    </>
  );
}
