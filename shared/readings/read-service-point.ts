import type { RegisteredMeter } from "../registry/registered-meter.ts";
import type { Registry } from "../registry/registry.ts";
import type { DayBlocks } from "./blocks.ts";
import { type MeterReadings, readReadings } from "./read-readings.ts";

/** A meter for as long as it hung at a service point, clock ms. Without `from`: since it was enrolled, or before. */
export interface MeterInPlace {
  readonly meter: RegisteredMeter;
  readonly from?: number;
  readonly until?: number;
}

/** Exchanges that are gone back over at the most. */
const EXCHANGES_MAX = 64;

/** Who hung at a service point with anything to say after `from`, in the order of time; undefined: nobody ever did. */
export async function metersInPlace(
  registry: Pick<Registry, "claims" | "meters">,
  servicePoint: string,
  from: number,
): Promise<readonly MeterInPlace[] | undefined> {
  const [claim] = await registry.claims([{ kind: "service-point", value: servicePoint }]);
  const found: MeterInPlace[] = [];
  let next = claim?.meterId;
  let until: number | undefined;
  while (next !== undefined && found.length < EXCHANGES_MAX) {
    const meter = (await registry.meters([next])).get(next);
    if (meter === undefined) break;
    const { installed } = meter;
    until ??= meter.retired?.at; // none took its place
    found.unshift({
      meter,
      ...(installed === undefined ? {} : { from: installed.at }),
      ...(until === undefined ? {} : { until }),
    });
    until = installed?.at;
    next = installed !== undefined && installed.at > from ? installed.replaces : undefined;
  }
  return found.length === 0 ? undefined : found;
}

/** What meters in one place counted in (from, to], each for its own time, in the order of time. */
export async function readServicePoint(
  ports: { readonly registry: Pick<Registry, "claims" | "meters">; readonly blocks: Pick<DayBlocks, "ofMeter"> },
  servicePoint: string,
  from: number,
  to: number,
): Promise<readonly (MeterInPlace & { readonly readings: MeterReadings })[] | undefined> {
  const meters = await metersInPlace(ports.registry, servicePoint, from);
  if (meters === undefined) return undefined;
  const inTime = meters.filter((one) => (one.from ?? from) <= to && (one.until ?? to) > from);
  return Promise.all(
    inTime.map(async (one) => {
      // What the display showed at that very instant belongs to it; an interval that was over then does not.
      const since = one.from !== undefined && one.from > from ? one.from : undefined;
      const begin = since === undefined ? from : since - 1;
      const readings = await readReadings(ports, one.meter.place, begin, Math.min(to, one.until ?? to));
      const own = (end: number): boolean => since === undefined || end > since;
      const intervals = readings.intervals
        .map((set) => ({ ...set, entries: set.entries.filter(({ end }) => own(end)) }))
        .filter(({ entries }) => entries.length > 0);
      return { ...one, readings: { ...readings, intervals } };
    }),
  );
}
