import type { Answer } from "../api/client.ts";
import { durationText } from "../figures/duration-text.ts";

export type ApiSchedule = Answer<"listSchedules">["schedules"][number];

export function scheduledText(operation: ApiSchedule["operation"]): string {
  switch (operation.kind) {
    case "readRegisters":
      return "Read registers";
    case "readIntervals":
      return `Read intervals of the last ${durationText(operation.lastSeconds)}${operation.registers === undefined ? "" : " and registers"}`;
    case "readBilling":
      return `Read the billing snapshots of the last ${durationText(operation.lastSeconds)}`;
    case "readEvents":
      return `Read the event logs of the last ${durationText(operation.lastSeconds)}`;
    case "readVoltage":
      return "Read the voltage";
    case "ping":
      return operation.depth === "network" ? "Ping the network card" : "Ping the meter";
    default:
      return (operation as { readonly kind: string }).kind; // a newer headend's operation
  }
}
