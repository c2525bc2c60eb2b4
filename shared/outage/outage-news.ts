import type { OutageNews } from "../events/told-event.ts";
import { endDeviceEventOf } from "./end-device-event.ts";
import type { Outage } from "./outage.ts";
import { eventIdOf } from "./outage-store.ts";

/** Meters that a message names; `GET /outages/{outageId}` has all. */
const NAMED_MAX = 500;
const iso = (at: number): string => new Date(at).toISOString();

/** An outage as subscribers are told of it: the EndDeviceEvent of `GET /outage-events`, on the wire. */
export function outageNews(outage: Outage): OutageNews {
  const id = eventIdOf(outage);
  const { createdDateTime, status, Assets, ...rest } = endDeviceEventOf(outage, id);
  return {
    kind: "outage",
    id,
    at: outage.changedAt,
    outageId: outage.outageId,
    feeder: outage.feeder,
    severity: rest.severity,
    code: rest.EndDeviceEventType.ref,
    meterIds: outage.meterIds.slice(0, NAMED_MAX),
    body: {
      ...rest,
      createdDateTime: iso(createdDateTime),
      Assets: Assets.slice(0, NAMED_MAX),
      status: { ...status, dateTime: iso(status.dateTime) },
      link: `/outages/${outage.outageId}`,
    },
  };
}
