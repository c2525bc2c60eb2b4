import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useId, useMemo, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { instantText, ZONE } from "../figures/instant-text.tsx";
import { count, counted } from "../figures/scaled-decimal.ts";
import { useQueryParameter } from "../shell/location.ts";
import { curveOf } from "./curve.ts";
import { dayAfter, dayOf, isDay, spanOfDays } from "./day-span.ts";
import {
  type ApiReadings,
  batchesOf,
  type IntervalSet,
  intervalsIn,
  type ShownSet,
  type Span,
} from "./interval-set.ts";
import { IntervalTable } from "./interval-table.tsx";
import { isNotable, measurementText } from "./measurement-text.ts";

const CurveChart = lazy(() => import("./curve-chart.tsx"));

const LENGTHS = ["1", "7", "31"] as const;
type Length = (typeof LENGTHS)[number];
const isLength = (text: string): text is Length => (LENGTHS as readonly string[]).includes(text);
const DAY_MS = 86_400_000;
/** Asked for before the span, so that the first interval of a counting channel has something to be compared with. */
const BEFORE_MS = 3_600_000;

/** What the chart shows, in one sentence, for those who do not see it. */
function summaryOf(set: IntervalSet, shown: ShownSet, span: Span): string {
  const missing = shown.gaps.reduce((sum, gap) => sum + gap.intervals, 0);
  const flagged = shown.intervals.filter(({ status }) => isNotable(status)).length;
  return [
    `${counted(shown.intervals.length, "interval")} of ${set.period / 60} minutes`,
    `${instantText(new Date(span.from).toISOString(), "minute")} to ${instantText(new Date(span.to).toISOString(), "minute")}`,
    missing === 0 ? "none missing" : `${count(missing)} missing in ${counted(shown.gaps.length, "gap")}`,
    flagged === 0 ? "none flagged by the meter" : `${count(flagged)} flagged by the meter`,
  ].join(", ");
}

function CurveOfSet({
  set,
  span,
  asTable,
}: {
  readonly set: IntervalSet;
  readonly span: Span;
  readonly asTable: boolean;
}) {
  const shown = useMemo(() => intervalsIn(set, span), [set, span]);
  const curve = useMemo(
    () => curveOf(shown, set.channels, set.period, (channel) => measurementText(channel.measurement)),
    [shown, set],
  );
  const batches = batchesOf(shown.intervals);
  const summary = summaryOf(set, shown, span);
  return (
    <>
      {asTable ? (
        <IntervalTable set={set} shown={shown} span={span} />
      ) : (
        <Suspense fallback={<p className="muted curve">Loading the chart…</p>}>
          <CurveChart curve={curve} span={span} label={`Load curve: ${summary}`} />
        </Suspense>
      )}
      <p className="small muted">{summary}.</p>
      {batches.size > 0 && (
        <details className="small">
          <summary>From {counted(batches.size, "result batch", "result batches")}</summary>
          <ul className="plain">
            {[...batches].map(([batch, intervals]) => (
              <li key={batch}>
                <span className="mono batch">{batch}</span>: {counted(intervals, "interval")}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** Intervals of a meter over the last 24 hours of the headend's clock, or over chosen calendar days. */
export function LoadCurve({ meterId, latest }: { readonly meterId: string; readonly latest: ApiReadings }) {
  const api = useApi();
  const [chosenDay, chooseDay] = useQueryParameter("day");
  const [chosenDays, chooseDays] = useQueryParameter("days");
  const [asTable, setAsTable] = useState(false);
  const dateId = useId();
  const now = Date.parse(latest.asOf);
  const today = dayOf(now);
  const day = isDay(chosenDay) ? chosenDay : undefined;
  const days = isLength(chosenDays) ? Number(chosenDays) : 1;
  const span = useMemo<Span>(() => {
    if (day === undefined) return { from: now - DAY_MS, to: now };
    const whole = spanOfDays(day, days);
    return { from: whole.from, to: Math.max(whole.from + 1, Math.min(whole.to, now)) };
  }, [day, days, now]);

  const far = useQuery({
    queryKey: ["readReadings", meterId, "intervals", day, days, day === undefined ? now : Math.min(span.to, now)],
    queryFn: ({ signal }) =>
      api(
        "readReadings",
        {
          params: { meterId },
          query: { from: new Date(span.from - BEFORE_MS).toISOString(), to: new Date(span.to).toISOString() },
        },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });
  const sets = far.data?.intervals ?? [];
  const known = sets.filter((set) => set.entries.some(({ end }) => Date.parse(end) > span.from));

  return (
    <section className="card" aria-labelledby="curve">
      <div className="head">
        <h2 id="curve">Load curve</h2>
        <div className="row">
          {/* biome-ignore lint/a11y/useSemanticElements: buttons that stay pressed, no form */}
          <div className="switcher" role="group" aria-label="Range">
            <button type="button" aria-pressed={day === undefined} onClick={() => chooseDay("")}>
              Last 24 h
            </button>
            {LENGTHS.map((length) => (
              <button
                key={length}
                type="button"
                aria-pressed={day !== undefined && days === Number(length)}
                onClick={() => {
                  chooseDays(length);
                  if (day === undefined) chooseDay(today);
                }}
              >
                {length === "1" ? "Day" : `${length} days`}
              </button>
            ))}
          </div>
          <button type="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? "Show as chart" : "Show as table"}
          </button>
        </div>
      </div>
      <div className="row">
        <button type="button" onClick={() => chooseDay(dayAfter(day ?? today, day === undefined ? -1 : -days))}>
          <span aria-hidden="true">‹</span> {days === 1 ? "Previous day" : `Previous ${days} days`}
        </button>
        <label htmlFor={dateId}>{days === 1 ? "Day" : "Up to"}</label>
        <input
          id={dateId}
          type="date"
          max={today}
          value={day ?? today}
          onChange={(event) => isDay(event.target.value) && chooseDay(event.target.value)}
        />
        <button
          type="button"
          disabled={day === undefined || day >= today}
          onClick={() => day !== undefined && chooseDay(dayAfter(day, days) > today ? today : dayAfter(day, days))}
        >
          {days === 1 ? "Next day" : `Next ${days} days`} <span aria-hidden="true">›</span>
        </button>
        <span className="small muted">Times in {ZONE}</span>
      </div>
      {far.isError && <ProblemView error={far.error} retry={() => void far.refetch()} />}
      {far.isPending && <p className="muted curve">Loading…</p>}
      {far.isSuccess && known.length === 0 && (
        <p className="empty">
          No intervals are stored for this time. A read brings them, as far back as the meter keeps them.
        </p>
      )}
      {known.map((set) => (
        <CurveOfSet key={set.channelSet} set={set} span={span} asTable={asTable} />
      ))}
    </section>
  );
}
