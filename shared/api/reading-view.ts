import { channelReadingType, MEASUREMENTS } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { qualityFlags } from "../readings/quality.ts";
import type { MeterReadings, StoredRegister } from "../readings/read-readings.ts";
import type { Readings } from "./readings.ts";

const FLAGS = Object.entries(INTERVAL_STATUS);

/** The names of the status bits that are set. */
const flagsOf = (status: number): string[] => FLAGS.flatMap(([name, bit]) => ((status & bit) === 0 ? [] : [name]));

const registerView = ({ measurement, value, scaler, at, batch }: StoredRegister): Readings["registers"][number] => ({
  measurement,
  unit: MEASUREMENTS[measurement].unit,
  value: value.toString(),
  scaler,
  at,
  readingType: MEASUREMENTS[measurement].readingType,
  batch,
});

/** Stored readings as the API shows them. `asOf`: clock ms. */
export const readingsView = (
  meterId: string,
  asOf: number,
  { registers, snapshots, intervals }: MeterReadings,
): Readings => ({
  meterId,
  asOf,
  registers: registers.map(registerView),
  snapshots: snapshots.map(({ kind, at, registers: kept }) => ({ kind, at, registers: kept.map(registerView) })),
  intervals: intervals.map(({ channelSet, period, channels, entries }) => ({
    channelSet,
    period,
    channels: channels.map(({ measurement, scaler }) => {
      const { unit, cumulative } = MEASUREMENTS[measurement];
      return { measurement, scaler, unit, readingType: channelReadingType(measurement, period), cumulative };
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
