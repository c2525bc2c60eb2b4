import { Instant } from "../figures/instant-text.tsx";
import { counted, scaledDecimal, shownUnit } from "../figures/scaled-decimal.ts";
import { hourSums, type IntervalSet, type ShownSet, type Span } from "./interval-set.ts";
import { measurementText, statusText } from "./measurement-text.ts";

const HOUR_MS = 3_600_000;
/** Up to a long local day each interval has a row; beyond that, each hour. */
const SINGLE_MS = 25 * HOUR_MS;

interface Props {
  readonly set: IntervalSet;
  readonly shown: ShownSet;
  readonly span: Span;
}

const iso = (at: number): string => new Date(at).toISOString();

/** The same as the chart, in exact numbers. */
export function IntervalTable({ set, shown, span }: Props) {
  const single = span.to - span.from <= SINGLE_MS;
  const amount = (value: bigint | undefined, channel: number) => {
    const about = set.channels[channel];
    if (value === undefined || about === undefined) return <span className="muted">not known</span>;
    return scaledDecimal(value.toString(), about.scaler + shownUnit(about.unit).shift);
  };
  const heads = set.channels.map(({ measurement, unit }) => (
    <th scope="col" className="number" key={measurement}>
      {measurementText(measurement)}, {shownUnit(unit).unit}
    </th>
  ));
  const rows = single
    ? [
        ...shown.intervals.map((interval) => ({ at: interval.end, interval, gap: undefined })),
        ...shown.gaps.map((gap) => ({ at: gap.firstEnd, interval: undefined, gap })),
      ].sort((a, b) => a.at - b.at)
    : [];
  const perHour = HOUR_MS / 1000 / set.period;

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
    <section className="scroll tall" aria-label="Intervals as a table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{single ? "Interval ends" : "Hour begins"}</th>
            {heads}
            <th scope="col">{single ? "Status" : "Intervals"}</th>
            {single && <th scope="col">Batch</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, interval, gap }) =>
            interval !== undefined ? (
              <tr key={at}>
                <th scope="row">
                  <Instant at={iso(at)} detail="minute" />
                </th>
                {interval.amounts.map((value, channel) => (
                  <td className="number" key={set.channels[channel]?.measurement}>
                    {amount(value, channel)}
                  </td>
                ))}
                <td>{interval.status.length === 0 ? "good" : statusText(interval.status)}</td>
                <td className="mono batch">{interval.batch}</td>
              </tr>
            ) : (
              <tr key={`gap ${at}`}>
                <th scope="row">
                  <Instant at={iso(at)} detail="minute" />
                </th>
                <td colSpan={set.channels.length + 2}>
                  missing: {counted(gap.intervals, "interval")}, up to <Instant at={iso(gap.lastEnd)} detail="minute" />
                </td>
              </tr>
            ),
          )}
          {!single &&
            hourSums(shown.intervals, set.channels.length).map(({ start, sums, intervals }) => (
              <tr key={start}>
                <th scope="row">
                  <Instant at={iso(start)} detail="minute" />
                </th>
                {sums.map((value, channel) => (
                  <td className="number" key={set.channels[channel]?.measurement}>
                    {amount(value, channel)}
                  </td>
                ))}
                <td>{perHour >= 1 ? `${intervals} of ${perHour}` : intervals}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}
