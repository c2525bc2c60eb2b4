import type { Answer } from "../api/client.ts";
import { instantText } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";

export type ApiJob = Answer<"readJob">;

export function operationText(operation: ApiJob["operation"]): string {
  switch (operation.kind) {
    case "readRegisters":
      return operation.measurements === undefined
        ? "Read all registers"
        : `Read ${operation.measurements.length === 1 ? "a register" : `${operation.measurements.length} registers`}`;
    case "readIntervals":
      return operation.registers === undefined ? "Read intervals" : "Read intervals and registers";
    case "ping":
      return operation.depth === "network" ? "Ping the network card" : "Ping the meter";
    case "resetDemand":
      return "Reset the demand";
    case "readEvents":
      return "Read the event logs";
    case "readVoltage":
      return "Read the voltage";
    case "readSwitch":
      return "Look at the switch";
    case "operateSwitch":
      return { open: "Open the switch", closed: "Close the switch", armed: "Arm the switch" }[operation.to];
    case "readPowerLimit":
      return "Read the power limit";
    case "setPowerLimit":
      return operation.limit === null
        ? "Remove the power limit"
        : `Limit the power to ${count(operation.limit.watts)} W`;
    case "setClock":
      return "Set the clock";
    case "controlLoad":
      return {
        off: "Turn the controlled load off",
        cycle: "Cycle the controlled load",
        limit: "Limit the controlled load",
        release: "Release the controlled load",
      }[operation.control.mode];
    case "configurePush":
      return `${operation.enabled ? "Push" : "Push no"} ${operation.content}`;
    case "readBilling":
      return "Read the billing snapshots";
    case "readCredit":
      return "Read the meter's credit";
    case "addCredit":
      return `Credit ${operation.amount.value / 10 ** -operation.amount.scaler} ${operation.amount.currency} at the meter`;
    case "deliverToken":
      return "Deliver a token";
    default:
      return (operation as { readonly kind: string }).kind; // a newer headend's operation
  }
}

/** The time that an operation is about, where it has one. */
export const rangeText = (operation: ApiJob["operation"]): string | undefined =>
  "range" in operation && operation.range !== undefined
    ? `${instantText(operation.range.from, "minute")} to ${instantText(operation.range.to, "minute")}`
    : undefined;

export function targetText(target: ApiJob["target"]): string {
  switch (target.kind) {
    case "all":
      return "All meters";
    case "meters":
      return target.meterIds.length === 1 ? `Meter ${target.meterIds[0]}` : `${count(target.meterIds.length)} meters`;
    case "group":
      return `Group ${target.group}`;
    case "feeder":
      return `Feeder ${target.feeder}`;
    case "transformer":
      return `Transformer ${target.transformer}`;
    case "collector":
      return `Collector ${target.collector}`;
    case "query":
      return `Query ${target.query}`;
    case "groupRoute":
      return `Group route ${target.route}`;
    case "missing":
      return `Meters with gaps on ${target.day}`;
    case "tasksOf":
      return `What ${target.states?.join(" or ") ?? "failed or expired"} of job ${target.jobId.slice(0, 8)}…`;
    default:
      return (target as { readonly kind: string }).kind;
  }
}

export const isLive = (job: { readonly state: string }): boolean => job.state !== "closed";
