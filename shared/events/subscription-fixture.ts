import { MeterId } from "../metering/meter.ts";
import type { Subscription } from "./subscription.ts";
import type { DeviceEvent, JobNews, OutageNews } from "./told-event.ts";

export const subscription = (subscriptionId: string, filter: Subscription["filter"] = {}): Subscription => ({
  subscriptionId,
  url: `https://${subscriptionId}.example/hook`,
  filter,
  owner: { id: "ada", roles: ["administrator"] },
  state: "active",
  secrets: [{ version: 1 }],
  createdAt: 0,
  modifiedAt: 0,
  version: 1,
});

export const gasp = (meterId: string, at = 0): DeviceEvent => ({
  kind: "device",
  id: `${meterId}/${at}/gasp`,
  meterId: MeterId.parse(meterId),
  event: "power.last-gasp",
  at,
  receivedAt: at + 1_000,
  log: "alarms-2",
  code: "0",
});

export const OUTAGE_NEWS: OutageNews = {
  kind: "outage",
  id: "o1-confirmed",
  at: 0,
  outageId: "o1",
  feeder: "F1",
  severity: "alarm",
  code: "3.26.0.47",
  meterIds: ["M-1", "M-2"],
  body: { mRID: "o1-confirmed" },
};

export const JOB_NEWS: JobNews = {
  kind: "job",
  id: "job/j1/closed",
  at: 0,
  jobId: "j1",
  operation: "readRegisters",
  callerId: "mdm",
  tasks: { done: 3, failed: 1, expired: 0, cancelled: 0 },
};
