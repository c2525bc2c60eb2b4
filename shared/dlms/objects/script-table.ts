import { interfaceClass } from "./interface-class.ts";
import { any, arrayOf, enumeration, integer, longUnsigned, obis, structure } from "./shape.ts";

/** service_id of a script's action. */
export const SCRIPT_ACTION = { "write-attribute": 1, "execute-method": 2 } as const;

/** How schedules, monitors and limiters name a script; logical name of zeros: none. */
export const scriptReference = structure({ scriptLogicalName: obis, scriptSelector: longUnsigned });

const actionSpecification = structure({
  serviceId: enumeration(SCRIPT_ACTION),
  classId: longUnsigned,
  logicalName: obis,
  index: integer,
  parameter: any,
});

/** Script table, class_id 9, version 0: scripts that a client or a schedule executes by their identifier. */
export const ScriptTable = interfaceClass(
  "Script table",
  9,
  0,
  { scripts: arrayOf(structure({ scriptIdentifier: longUnsigned, actions: arrayOf(actionSpecification) })) },
  { execute: longUnsigned },
  0x20,
);
