import { useEffect, useRef, useSyncExternalStore } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "../style/chart.css";
import type { Curve } from "./curve.ts";
import type { Span } from "./interval-set.ts";

const HEIGHT = 320;
const DAY_S = 86_400;
const LINES = ["--curve-1", "--curve-2", "--curve-3", "--curve-4"] as const;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const both = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const useDark = () =>
  useSyncExternalStore(
    (changed) => {
      dark.addEventListener("change", changed);
      return () => dark.removeEventListener("change", changed);
    },
    () => dark.matches,
  );

/** Hours as a clock, midnight and whole days as a date. */
const timeLabels: uPlot.Axis.DynamicValues = (_self, splits, _axis, _space, increment) =>
  splits.map((split) => {
    const at = new Date(split * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    return increment >= DAY_S || midnight ? date.format(at) : clock.format(at);
  });

function optionsOf(curve: Curve, span: Span, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  const stepped = uPlot.paths.stepped?.({ align: 1, alignGaps: 1 });
  const units = [...new Set(curve.lines.map(({ unit }) => unit))];
  return {
    width,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true, range: [span.from / 1000, span.to / 1000] } },
    axes: [
      { ...axis, values: timeLabels },
      ...units.map(
        (unit, index): uPlot.Axis => ({
          ...axis,
          scale: unit,
          label: unit,
          labelFont: "12px system-ui, sans-serif",
          labelSize: 18,
          size: 56,
          side: index === 0 ? 3 : 1,
          ...(index === 0 ? {} : { grid: { show: false } }),
        }),
      ),
    ],
    series: [
      { label: "From", value: (_self, at) => (at === null ? "–" : both.format(new Date(at * 1000))) },
      ...curve.lines.map(({ label, unit }, index): uPlot.Series => {
        const stroke = colour(LINES[index % LINES.length] ?? LINES[0]);
        return {
          label,
          scale: unit,
          stroke,
          width: 2,
          // A second line is dashed, so that colour is not all that tells them apart.
          ...(index === 0 ? { fill: `${stroke}26` } : { dash: [6, 4] }),
          ...(stepped === undefined ? {} : { paths: stepped }),
          points: { show: false },
          value: (_self, value) => (value === null ? "–" : `${Number(value.toPrecision(4))} ${unit}`),
        };
      }),
    ],
  };
}

interface Props {
  readonly curve: Curve;
  readonly span: Span;
  readonly label: string;
}

/** The curve on a canvas. The table beside it says the same to those who cannot see it. */
export default function CurveChart({ curve, span, label }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const isDark = useDark();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the palette changes with the colour scheme
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const data = [curve.starts, ...curve.lines.map(({ points }) => points)] as unknown as uPlot.AlignedData;
    const chart = new uPlot(optionsOf(curve, span, element.clientWidth || 600), data, element);
    const watch = new ResizeObserver(() => {
      if (element.clientWidth > 0) chart.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [curve, span, isDark]);
  return <div ref={place} className="curve" role="img" aria-label={label} />;
}
