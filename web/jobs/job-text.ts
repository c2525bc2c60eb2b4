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
    case "readIntervals": {
      const { from, to } = operation.range;
      const registers = operation.registers === undefined ? "" : " and registers";
      return `Read intervals${registers}, ${instantText(from, "minute")} to ${instantText(to, "minute")}`;
    }
    case "ping":
      return operation.depth === "network" ? "Ping the network card" : "Ping the meter";
    default:
      return (operation as { readonly kind: string }).kind; // a newer headend's operation
  }
}

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
    default:
      return (target as { readonly kind: string }).kind;
  }
}

export const isLive = (job: { readonly state: string }): boolean => job.state !== "closed";
