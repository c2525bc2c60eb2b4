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

/**
 * What an operation does to a load behind the meter, as stops and flags count it: shedding is an opening, letting it go a
 * closing; undefined: nothing.
 */
export function loadAct(operation: Operation): SwitchTarget | undefined {
  if (operation.kind !== "controlLoad") return undefined;
  return operation.control.mode === "release" ? "closed" : "open";
}

/** Whether it can take supply from a customer, or from a load of his: it is looked at last of all. */
export const takesSupply = (operation: Operation): boolean =>
  (switchAct(operation) ?? loadAct(operation)) !== undefined;

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
    case "controlLoad":
      return { load: operation.control.mode };
    case "addCredit": {
      const { currency, value, scaler } = operation.amount;
      return { amount: `${value}e${scaler} ${currency}` };
    }
    default:
      return {};
  }
}
