import { interfaceClass } from "./interface-class.ts";
import { scalerUnit } from "./register.ts";
import {
  any,
  arrayOf,
  dateTime,
  doubleLongUnsigned,
  enumerated,
  integer,
  longUnsigned,
  obis,
  octets,
  structure,
  unsigned,
} from "./shape.ts";
import { valueDefinition } from "./value-definition.ts";

const changedParameter = structure({
  classId: longUnsigned,
  logicalName: obis,
  attributeIndex: integer,
  attributeValue: any,
});
const parameterMonitorV0 = {
  changedParameter,
  captureTime: dateTime,
  parameterList: arrayOf(valueDefinition),
};
const parameterMonitorMethods = { addParameter: valueDefinition, deleteParameter: valueDefinition };

/** Parameter monitor, class_id 65, version 0: the parameter that changed last. */
export const ParameterMonitor = interfaceClass("Parameter monitor", 65, 0, parameterMonitorV0, parameterMonitorMethods);
/** Version 1: with a digest over the parameters. */
export const ParameterMonitorV1 = interfaceClass(
  "Parameter monitor",
  65,
  1,
  {
    ...parameterMonitorV0,
    parameterListName: octets,
    hashAlgorithmId: enumerated,
    parameterValueDigest: octets,
    parameterValues: any,
  },
  parameterMonitorMethods,
);

/** Status mapping, class_id 63, version 0: which entries of a reference table the bits of a status word stand for. */
export const StatusMapping = interfaceClass(
  "Status mapping",
  63,
  0,
  {
    statusWord: any,
    /** The first entry's number for consecutive bits, or an array of one number a bit. */
    mappingTable: structure({ refTableId: unsigned, refTableMapping: any }),
  },
  {},
);

/** Register table, class_id 61, version 0: one attribute of objects that differ in group E alone. */
export const RegisterTable = interfaceClass(
  "Register table",
  61,
  0,
  {
    tableCellValues: any,
    tableCellDefinition: structure({
      classId: longUnsigned,
      logicalName: obis,
      groupEValues: arrayOf(unsigned),
      attributeIndex: integer,
    }),
    scalerUnit,
  },
  { reset: integer, capture: integer },
  0x28,
);

/** Utility tables, class_id 26, version 0: a table of ANSI C12.19 within a COSEM object. */
export const UtilityTables = interfaceClass(
  "Utility tables",
  26,
  0,
  { tableId: longUnsigned, length: doubleLongUnsigned, buffer: octets },
  {},
);
