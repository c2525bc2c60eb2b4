import { integer, longUnsigned, obis, structure } from "./shape.ts";

/** value_definition: one attribute of one object, as monitors and limiters name it. */
export const valueDefinition = structure({ classId: longUnsigned, logicalName: obis, attributeIndex: integer });
/** object_definition: one object. */
export const objectDefinition = structure({ classId: longUnsigned, logicalName: obis });
