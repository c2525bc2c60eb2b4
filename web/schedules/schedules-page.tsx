import { useQuery } from "@tanstack/react-query";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge } from "../figures/badge.tsx";
import { durationText } from "../figures/duration-text.ts";
import { Instant } from "../figures/instant-text.tsx";
import { targetText } from "../jobs/job-text.ts";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { type ApiSchedule, scheduledText } from "./schedule-text.ts";
import { SwitchSchedule } from "./switch-schedule.tsx";

const never = <span className="muted">not yet</span>;

function ScheduleRow({ schedule, maySwitch }: { readonly schedule: ApiSchedule; readonly maySwitch: boolean }) {
  const { name, operation, target, cron, timeZone, enabled = true, nextRunAt, lastRunAt, lastJobId } = schedule;
  const { blackouts, spreadSeconds = 0, caller, changed, lastProblem, sla, lastResult } = schedule;
  return (
    <tr>
      <th scope="row">
        {name}
        <span className="small muted job-about">
          {scheduledText(operation)} · {targetText(target)} · of {caller.name ?? caller.id}
        </span>
      </th>
      <td>
        {enabled ? (
          <Badge tone="good" shape="tick" text="enabled" />
        ) : (
          <Badge tone="quiet" shape="dash" text="paused" />
        )}
        {!enabled && changed?.action === "paused" && (
          <span className="small muted job-about">
            by {changed.by.name ?? changed.by.id}
            {changed.reason !== undefined && `: ${changed.reason}`}
          </span>
        )}
      </td>
      <td>
        <span className="mono">{cron}</span>
        <span className="small muted job-about">
          {timeZone ?? "UTC"}
          {spreadSeconds > 0 && `, spread over ${durationText(spreadSeconds)}`}
          {blackouts !== undefined && `, not in ${blackouts.calendars.join(", ")}`}
        </span>
      </td>
      <td>{nextRunAt === undefined || !enabled ? <span className="muted">none</span> : <Instant at={nextRunAt} />}</td>
      <td>
        {lastRunAt === undefined ? (
          never
        ) : lastJobId === undefined ? (
          <Instant at={lastRunAt} />
        ) : (
          <Link to={jobPath(lastJobId)}>
            <Instant at={lastRunAt} />
          </Link>
        )}
        {sla !== undefined && lastResult !== undefined && (
          <span className="small muted job-about">
            {{ open: "not decided yet", met: "met", missed: "missed" }[lastResult.state]}:{" "}
            {Math.round(sla.share * 1000) / 10} % within {durationText(sla.withinSeconds)}
          </span>
        )}
        {lastProblem !== undefined && <span className="small job-about">refused: {lastProblem}</span>}
      </td>
      {maySwitch && (
        <td>
          <SwitchSchedule schedule={schedule} />
        </td>
      )}
    </tr>
  );
}

export default function SchedulesPage() {
  const api = useApi();
  const mayCreate = useMay("createSchedule");
  const maySwitch = useMay("pauseSchedule");
  const list = useQuery({
    queryKey: ["listSchedules"],
    queryFn: ({ signal }) => api("listSchedules", {}, { signal }),
    refetchInterval: 15_000,
  });
  return (
    <>
      <PageHead title="Schedules" about="What the headend asks of meters by itself">
        {mayCreate && (
          <Link to="/schedules/new" className="button primary">
            New schedule
          </Link>
        )}
      </PageHead>
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.data !== undefined && (
        <div className="card flush">
          {list.data.schedules.length === 0 ? (
            <p className="empty">No schedule yet.</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
            <section className="scroll" aria-label="Schedules" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Schedule</th>
                    <th scope="col">State</th>
                    <th scope="col">When</th>
                    <th scope="col">Next run</th>
                    <th scope="col">Last run</th>
                    {maySwitch && (
                      <th scope="col">
                        <span className="unseen">Pause or resume</span>
                      </th>
                    )}
                  </tr>
                </thead>
                <tbody>
                  {list.data.schedules.map((schedule) => (
                    <ScheduleRow key={schedule.scheduleId} schedule={schedule} maySwitch={maySwitch} />
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </div>
      )}
    </>
  );
}
