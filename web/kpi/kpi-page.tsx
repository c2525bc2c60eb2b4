import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count, counted } from "../figures/scaled-decimal.ts";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import {
  type ApiKpis,
  type Behind,
  behindPath,
  type IntervalFigures,
  latencyText,
  missingText,
  type Rate,
  rateText,
  WINDOW_TEXT,
} from "./kpi-text.ts";

const LIVE_MS = 15_000;

interface TableProps {
  readonly label: string;
  readonly heads: readonly string[];
  /** Of the first column, which heads the row; the others are numbers. */
  readonly children: ReactNode;
}

function FigureTable({ label, heads, children }: TableProps) {
  const [first, ...others] = heads;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
    <section className="scroll" aria-label={`${label} as a table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{first}</th>
            {others.map((head) => (
              <th scope="col" className="number" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** How many meters, and the way to them. */
function Meters({ of, behind }: { readonly of: number; readonly behind: Behind }) {
  return (
    <td className="number">{of === 0 ? count(of) : <Link to={behindPath(behind)}>{counted(of, "meter")}</Link>}</td>
  );
}

function RateCell({ rate }: { readonly rate: Rate }) {
  return (
    <td className="number">
      {rateText(rate)}
      <span className="small muted job-about">
        {count(rate.part)} of {count(rate.of)}
      </span>
    </td>
  );
}

function Communication({ kpis }: { readonly kpis: ApiKpis }) {
  return (
    <section className="card" aria-labelledby="communication">
      <h2 id="communication">Communication rate</h2>
      <p className="muted">
        Active meters with an authenticated exchange in the window. The second rate leaves out{" "}
        {kpis.excluded === 0 ? (
          "meters in maintenance or found busy: none now"
        ) : (
          <Link to={behindPath({ list: "excluded" })}>{count(kpis.excluded)} in maintenance or found busy</Link>
        )}
        .
      </p>
      <FigureTable label="Communication rate" heads={["Within", "Of all", "Without excluded", "Not heard of"]}>
        {kpis.communication.map(({ window, all, counted: rest, silent }) => (
          <tr key={window}>
            <th scope="row">{WINDOW_TEXT[window]}</th>
            <RateCell rate={all} />
            <RateCell rate={rest} />
            <Meters of={silent} behind={{ list: "silent", window }} />
          </tr>
        ))}
      </FigureTable>
    </section>
  );
}

function Exceptions({ kpis }: { readonly kpis: ApiKpis }) {
  return (
    <section className="card" aria-labelledby="exceptions">
      <h2 id="exceptions">Exceptions</h2>
      {kpis.exceptions.length === 0 ? (
        <p className="muted">The last try of every meter went well.</p>
      ) : (
        <FigureTable label="Exceptions" heads={["Why the last try failed", "Meters"]}>
          {kpis.exceptions.map(({ reason, meters, hint }) => (
            <tr key={reason}>
              <th scope="row">
                {reason}
                <span className="hint muted">{hint}</span>
              </th>
              <Meters of={meters} behind={{ list: "failed", reason }} />
            </tr>
          ))}
        </FigureTable>
      )}
    </section>
  );
}

function Now({ kpis }: { readonly kpis: ApiKpis }) {
  const { latency, closed } = kpis;
  return (
    <section className="card" aria-labelledby="state">
      <h2 id="state">State</h2>
      <FigureTable label="State" heads={["Meters", "Number"]}>
        <tr>
          <th scope="row">reported a power failure</th>
          <Meters of={kpis.powerOff} behind={{ list: "power-off" }} />
        </tr>
        <tr>
          <th scope="row">have gaps today</th>
          <Meters of={kpis.missingToday} behind={{ list: "missing-today" }} />
        </tr>
        {Object.entries(kpis.switches).map(([position, meters]) => (
          <tr key={position}>
            <th scope="row">switch {position}</th>
            <Meters of={meters} behind={{ list: "switch", position }} />
          </tr>
        ))}
      </FigureTable>
      <dl className="facts">
        <dt>Latency of reads</dt>
        <dd>
          {latency.meters === 0
            ? "no read within the day"
            : `half within ${latencyText(latency.p50Ms)}, 90 % within ${latencyText(latency.p90Ms)}, 95 % within ${latencyText(latency.p95Ms)}, 99 % within ${latencyText(latency.p99Ms)}`}
        </dd>
        {closed !== undefined && (
          <>
            <dt>Read rate of {closed.day}</dt>
            <dd>
              {rateText(closed.read.all)}; without excluded {rateText(closed.read.counted)}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

const MIX_TEXT: Readonly<Record<string, string>> = {
  profile: "Device profile",
  commodity: "Commodity",
  route: "Way in",
  keyVersion: "Version of the keys",
  firmware: "Firmware of a device profile",
  program: "Tariff program",
};

function Mix({ mix }: Pick<ApiKpis, "mix">) {
  if (mix === undefined) return null;
  return (
    <section className="card" aria-labelledby="mix">
      <h2 id="mix">Mix of the fleet</h2>
      <p className="muted">
        As of <Instant at={mix.asOf} detail="minute" /> or later.
      </p>
      <FigureTable label="Mix of the fleet" heads={["What", "Meters"]}>
        {Object.entries(mix.kinds).flatMap(([kind, values]) =>
          Object.entries(values).map(([value, meters]) => (
            <tr key={`${kind} ${value}`}>
              <th scope="row">
                {value}
                <span className="small muted job-about">{MIX_TEXT[kind] ?? kind}</span>
              </th>
              <td className="number">{count(meters)}</td>
            </tr>
          )),
        )}
      </FigureTable>
    </section>
  );
}

/** What a schedule was to bring: in time, late, and missing with the most frequent reasons; three cells. */
function Intervals({ of }: { readonly of: IntervalFigures | undefined }) {
  if (of === undefined)
    return (
      <>
        <td className="number muted">not counted</td>
        <td />
        <td />
      </>
    );
  const { inTime, expected, rate, late, missing, pending, unaccounted } = of;
  return (
    <>
      <RateCell rate={{ part: inTime, of: expected, rate }} />
      <td className="number">{count(late)}</td>
      <td className="number">
        {count(missing + unaccounted)}
        <span className="small muted job-about">{missingText(of)}</span>
        {pending > 0 && <span className="small muted job-about">{count(pending)} asked for now</span>}
      </td>
    </>
  );
}

function ScheduleDays({ days }: Pick<Answer<"readKpiHistory">, "days">) {
  const rows = days
    .toReversed()
    .flatMap(({ day, closed }) => (closed?.schedules ?? []).map((one) => ({ day, ...one })));
  if (rows.length === 0) return null;
  return (
    <section className="card" aria-labelledby="schedule-days">
      <h2 id="schedule-days">By day and schedule</h2>
      <p className="muted">Intervals that the runs of a schedule were to bring of the day, each once.</p>
      <FigureTable label="By day and schedule" heads={["Schedule", "Intervals in time", "Late", "Missing"]}>
        {rows.map(({ day, scheduleId, ...intervals }) => (
          <tr key={`${day} ${scheduleId}`}>
            <th scope="row">
              {scheduleId}
              <span className="small muted job-about">{day}</span>
            </th>
            <Intervals of={intervals} />
          </tr>
        ))}
      </FigureTable>
    </section>
  );
}

function Schedules({ schedules }: Pick<ApiKpis, "schedules">) {
  if (schedules.length === 0) return null;
  return (
    <section className="card" aria-labelledby="by-schedule">
      <h2 id="by-schedule">By schedule</h2>
      <FigureTable
        label="By schedule"
        heads={["Last run", "Tasks", "Open", "Done", "Intervals in time", "Late", "Missing"]}
      >
        {schedules.map(({ scheduleId, jobId, runAt, tasks, open, rate, intervals }) => (
          <tr key={scheduleId}>
            <th scope="row">
              <Link to={jobPath(jobId)}>{scheduleId}</Link>
              <span className="small muted job-about">
                <Instant at={runAt} detail="minute" />
              </span>
            </th>
            <td className="number">{count(tasks)}</td>
            <td className="number">{count(open)}</td>
            <td className="number">{rateText({ rate })}</td>
            <Intervals of={intervals} />
          </tr>
        ))}
      </FigureTable>
    </section>
  );
}

const dayRate = (rate: Rate | undefined): string => (rate === undefined ? "not counted" : rateText(rate));

function Days({ days }: Pick<Answer<"readKpiHistory">, "days">) {
  return (
    <section className="card" aria-labelledby="days">
      <h2 id="days">By day</h2>
      {days.length === 0 ? (
        <p className="muted">No day is over yet.</p>
      ) : (
        <FigureTable label="By day" heads={["UTC day", "Communication", "Read rate", "Completeness", "Missing"]}>
          {days.toReversed().map(({ day, fleet, closed }) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              <td className="number">{dayRate(fleet?.communication.find(({ window }) => window === "day")?.all)}</td>
              <td className="number">{dayRate(closed?.read.all)}</td>
              <td className="number">
                {closed === undefined ? "not counted" : rateText({ rate: closed.completeness })}
              </td>
              <td className="number">
                {closed === undefined || closed.missing === 0 ? (
                  count(closed?.missing ?? 0)
                ) : (
                  <Link to={behindPath({ list: "gaps", day })}>{counted(closed.missing, "interval")}</Link>
                )}
              </td>
            </tr>
          ))}
        </FigureTable>
      )}
    </section>
  );
}

export default function KpiPage() {
  const api = useApi();
  const may = useMay("readKpis");
  const now = useQuery({
    queryKey: ["readKpis"],
    queryFn: ({ signal }) => api("readKpis", {}, { signal }),
    refetchInterval: LIVE_MS,
    enabled: may,
  });
  const history = useQuery({
    queryKey: ["readKpiHistory"],
    queryFn: ({ signal }) => api("readKpiHistory", { query: {} }, { signal }),
    enabled: may,
  });
  if (!may)
    return (
      <>
        <PageHead title="Key figures" />
        <p className="notice">Your role does not see the figures of the whole fleet.</p>
      </>
    );
  return (
    <>
      <PageHead
        title="Key figures"
        about={
          now.data === undefined ? undefined : (
            <>
              {count(now.data.active)} active meters, as of <Instant at={now.data.asOf} />
            </>
          )
        }
      />
      {now.isPending && <p className="muted">Loading…</p>}
      {now.isError && <ProblemView error={now.error} retry={() => void now.refetch()} />}
      {now.data !== undefined && (
        <>
          <Communication kpis={now.data} />
          <div className="columns">
            <Exceptions kpis={now.data} />
            <Now kpis={now.data} />
          </div>
          <Mix mix={now.data.mix} />
          <Schedules schedules={now.data.schedules} />
        </>
      )}
      {history.isError && <ProblemView error={history.error} retry={() => void history.refetch()} />}
      {history.data !== undefined && <Days days={history.data.days} />}
      {history.data !== undefined && <ScheduleDays days={history.data.days} />}
    </>
  );
}
