import { interfaceClass } from "./interface-class.ts";
import { scriptReference } from "./script-table.ts";
import {
  any,
  arrayOf,
  bitString,
  boolean,
  doubleLongUnsigned,
  enumeration,
  integer,
  longUnsigned,
  obis,
  octets,
  structure,
  unsigned,
} from "./shape.ts";
import { objectDefinition, valueDefinition } from "./value-definition.ts";

/** Arbitrator, class_id 68, version 0: which of several actors' requests is executed. */
export const Arbitrator = interfaceClass(
  "Arbitrator",
  68,
  0,
  {
    actions: arrayOf(scriptReference),
    /** One bit-string an actor, one bit an action. */
    permissionsTable: arrayOf(bitString),
    weightingsTable: arrayOf(arrayOf(longUnsigned)),
    mostRecentRequestsTable: arrayOf(bitString),
    /** Number of the action; 0: none. */
    lastOutcome: unsigned,
  },
  { requestAction: structure({ requestActor: unsigned, requestActionList: bitString }), reset: integer },
);

const functionStatus = structure({ functionName: octets, functionStatus: boolean });
const functionSpecification = structure({ functionName: octets, functionSpecifications: arrayOf(objectDefinition) });
/** Function control, class_id 122, version 0: functions that can be switched on and off. */
export const FunctionControl = interfaceClass(
  "Function control",
  122,
  0,
  { activationStatus: arrayOf(functionStatus), functionList: arrayOf(functionSpecification) },
  { setFunctionStatus: arrayOf(functionStatus), addFunction: functionSpecification, removeFunction: octets },
);

const entryRange = structure({ fromIndex: longUnsigned, toIndex: longUnsigned });
const arrayEntry = structure({ arrayObjectId: unsigned, entry: structure({ index: longUnsigned, value: any }) });
/** Array manager, class_id 123, version 0: entries of arrays one by one, counted from 1. */
export const ArrayManager = interfaceClass(
  "Array manager",
  123,
  0,
  { arrayObjectList: arrayOf(structure({ arrayObjectId: unsigned, arrayObjectElement: valueDefinition })) },
  {
    retrieveNumberOfEntries: unsigned,
    retrieveEntries: structure({ arrayObjectId: unsigned, range: entryRange }),
    insertEntry: arrayEntry,
    updateEntry: arrayEntry,
    removeEntries: structure({ arrayObjectId: unsigned, range: entryRange }),
  },
);

/** Communication port protection, class_id 124, version 0. */
export const CommunicationPortProtection = interfaceClass(
  "Communication port protection",
  124,
  0,
  {
    protectionMode: enumeration({ locked: 0, "locked-on-failed-attempts": 1, unlocked: 2 }),
    allowedFailedAttempts: longUnsigned,
    /** Seconds. */
    initialLockoutTime: doubleLongUnsigned,
    steepnessFactor: unsigned,
    /** Seconds. */
    maxLockoutTime: doubleLongUnsigned,
    portReference: obis,
    protectionStatus: enumeration({ unlocked: 0, "temporarily-locked": 1, locked: 2 }),
    failedAttempts: doubleLongUnsigned,
    cumulativeFailedAttempts: doubleLongUnsigned,
  },
  { reset: integer },
);
