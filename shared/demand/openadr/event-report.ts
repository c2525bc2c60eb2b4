import type { DrEvent } from "../dr-event.ts";
import { endOf, startOf } from "../dr-event.ts";
import { type Participation, totalOf } from "../participation.ts";
import { durationText, instantText } from "./iso-time.ts";
import type { StoredObject } from "./objects.ts";

/** Meters that a report lists; the sum is over all of them. */
const RESOURCES_MAX = 500;
export const HEADEND_CLIENT = "headrace";

const kWh = (wh: number): number => wh / 1000;

/** What an event brought, as the report that a VEN would send: use and baseline of each meter and of all, kWh. */
export function eventReport(event: DrEvent, entries: readonly Participation[], now: number): StoredObject {
  const period = { start: instantText(startOf(event)), duration: durationText(endOf(event) - startOf(event)) };
  const resource = (
    resourceName: string,
    { outcome, baselineWh, actualWh }: Pick<Partial<Participation>, "outcome" | "baselineWh" | "actualWh">,
  ) => ({
    resourceName,
    intervalPeriod: period,
    intervals: [
      {
        id: 0,
        payloads: [
          ...(actualWh === undefined ? [] : [{ type: "USAGE", values: [kWh(actualWh)] }]),
          ...(baselineWh === undefined ? [] : [{ type: "BASELINE", values: [kWh(baselineWh)] }]),
          { type: "DATA_QUALITY", values: [actualWh === undefined ? "MISSING" : "OK"] },
          ...(outcome === undefined ? [] : [{ type: "OPERATING_STATE", values: [outcome] }]),
        ],
      },
    ],
  });
  const { baselineWh, actualWh } = totalOf(entries);
  return {
    id: `report-${event.eventId}`.slice(0, 128),
    collection: "reports",
    clientID: HEADEND_CLIENT,
    createdAt: now,
    modifiedAt: now,
    said: {
      programID: event.programId,
      eventID: event.eventId,
      clientName: HEADEND_CLIENT,
      reportName: event.name ?? null,
      payloadDescriptors: ["USAGE", "BASELINE"].map((payloadType) => ({
        objectType: "REPORT_PAYLOAD_DESCRIPTOR",
        payloadType,
        readingType: payloadType === "USAGE" ? "DIRECT_READ" : "ESTIMATED",
        units: "KWH",
      })),
      resources: [
        resource("AGGREGATED_REPORT", { baselineWh, actualWh }),
        ...entries.slice(0, RESOURCES_MAX).map((entry) => resource(entry.meterId, entry)),
      ],
    },
  };
}
