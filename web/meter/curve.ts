import { approximately } from "../figures/scaled-decimal.ts";
import type { IntervalChannel, ShownSet } from "./interval-set.ts";

/** What the chart draws: starts of intervals (s), and a line a channel; null where nothing is known. */
export interface Curve {
  readonly starts: readonly number[];
  readonly lines: readonly {
    readonly label: string;
    readonly unit: string;
    readonly points: readonly (number | null)[];
  }[];
}

/** Energy in an interval is drawn as the average power; all else as it is. */
const AS_POWER: Readonly<Record<string, string>> = { Wh: "kW", varh: "kvar" };

/**
 * A stepped curve: each interval holds its value from its start to its end. Gaps and unknown amounts are null; the last
 * interval is closed by a point at its end.
 */
export function curveOf(
  { intervals, gaps }: ShownSet,
  channels: readonly IntervalChannel[],
  periodSeconds: number,
  nameOf: (channel: IntervalChannel) => string,
): Curve {
  const points: { readonly start: number; readonly amounts: readonly (bigint | undefined)[] }[] = [
    ...intervals.map(({ end, amounts }) => ({ start: end / 1000 - periodSeconds, amounts })),
    ...gaps.map(({ firstEnd }) => ({ start: firstEnd / 1000 - periodSeconds, amounts: [] })),
  ].sort((a, b) => a.start - b.start);
  const end = intervals.at(-1)?.end;
  const last = points.at(-1);
  if (end !== undefined && last !== undefined && end / 1000 - periodSeconds === last.start)
    points.push({ start: end / 1000, amounts: last.amounts });
  return {
    starts: points.map(({ start }) => start),
    lines: channels.map((channel, index) => {
      const power = AS_POWER[channel.unit];
      const factor = power === undefined ? 1 : 3600 / periodSeconds / 1000;
      return {
        label: nameOf(channel),
        unit: power ?? channel.unit,
        points: points.map(({ amounts }) => {
          const amount = amounts[index];
          return amount === undefined ? null : approximately(amount, channel.scaler) * factor;
        }),
      };
    }),
  };
}
