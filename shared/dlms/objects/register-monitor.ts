import { interfaceClass } from "./interface-class.ts";
import { scriptReference } from "./script-table.ts";
import { any, arrayOf, structure } from "./shape.ts";
import { valueDefinition } from "./value-definition.ts";

/** Register monitor, class_id 21, version 0: runs scripts when a value crosses thresholds of the value's own type. */
export const RegisterMonitor = interfaceClass(
  "Register monitor",
  21,
  0,
  {
    thresholds: arrayOf(any),
    monitoredValue: valueDefinition,
    /** One for each threshold. */
    actions: arrayOf(structure({ actionUp: scriptReference, actionDown: scriptReference })),
  },
  {},
);
