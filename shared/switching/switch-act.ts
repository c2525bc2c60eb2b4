import type { Operation } from "../metering/operation.ts";
import type { SwitchTarget } from "./authority.ts";

/**
 * What an operation can do to a switch, as guards, stops and flags count it; undefined: nothing. A power limit opens it
 * when the load is too high; taking the limits away cuts nobody off.
 */
export function switchAct(operation: Operation): SwitchTarget | undefined {
  switch (operation.kind) {
    case "operateSwitch":
      return operation.to;
    case "setPowerLimit":
      return operation.limit === null && (operation.emergency ?? null) === null ? "closed" : "open";
    default:
      return undefined;
  }
}

/** What the audit says of it. */
export function actDetail(operation: Operation): Readonly<Record<string, string>> {
  switch (operation.kind) {
    case "operateSwitch":
      return { to: operation.to };
    case "setPowerLimit": {
      const { limit, emergency } = operation;
      return {
        limit: limit === null ? "none" : `${limit.watts} W, ${limit.over}`,
        ...(emergency === undefined ? {} : { emergency: emergency === null ? "none" : `${emergency.watts} W` }),
      };
    }
    default:
      return {};
  }
}
