import type { Place } from "../metering/meter.ts";
import type { DayBlocks } from "../readings/blocks.ts";
import { readReadings } from "../readings/read-readings.ts";
import type { RegisterCurve } from "./participation.ts";

const IMPORT = "energy.active.import.total";

/** The import register of a meter at the ends of its stored intervals in (from, to], whole Wh. */
export async function importCurve(
  ports: { readonly blocks: Pick<DayBlocks, "ofMeter"> },
  place: Place,
  from: number,
  to: number,
): Promise<RegisterCurve> {
  const curve = new Map<number, number>();
  for (const { channels, entries } of (await readReadings(ports, place, from, to)).intervals) {
    const channel = channels.findIndex(({ measurement }) => measurement === IMPORT);
    const scaler = channels[channel]?.scaler ?? 0;
    if (channel < 0) continue;
    for (const { end, values } of entries) {
      const value = values[channel];
      if (value !== undefined) curve.set(end, Math.round(Number(value) * 10 ** scaler));
    }
  }
  return curve;
}
