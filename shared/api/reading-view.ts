import { MEASUREMENTS } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { qualityFlags } from "../readings/quality.ts";
import type { MeterReadings } from "../readings/read-readings.ts";
import type { Readings } from "./readings.ts";

const FLAGS = Object.entries(INTERVAL_STATUS);

/** The names of the status bits that are set. */
const flagsOf = (status: number): string[] => FLAGS.flatMap(([name, bit]) => ((status & bit) === 0 ? [] : [name]));

/** Stored readings as the API shows them. `asOf`: clock ms. */
export const readingsView = (meterId: string, asOf: number, { registers, intervals }: MeterReadings): Readings => ({
  meterId,
  asOf,
  registers: registers.map(({ measurement, value, scaler, at, batch }) => ({
    measurement,
    unit: MEASUREMENTS[measurement].unit,
    value: value.toString(),
    scaler,
    at,
    readingType: MEASUREMENTS[measurement].readingType,
    batch,
  })),
  intervals: intervals.map(({ channelSet, period, channels, entries }) => ({
    channelSet,
    period,
    channels: channels.map(({ measurement, scaler }) => {
      const { unit, readingType, cumulative } = MEASUREMENTS[measurement];
      return { measurement, scaler, unit, readingType, cumulative };
    }),
    entries: entries.map(({ end, values, status, quality, batch }) => ({
      end,
      values: values.map((value) => value?.toString() ?? null),
      status: flagsOf(status),
      quality: qualityFlags(quality),
      batch,
    })),
  })),
});
