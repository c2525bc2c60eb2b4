import { attribute, type InterfaceClass, method } from "./interface-class.ts";
import { any, arrayOf, enumerated, integer, longUnsigned, obis, structure } from "./shape.ts";

const actionSpecification = structure({
  /** 1: write attribute, 2: execute method. */
  serviceId: enumerated,
  classId: longUnsigned,
  logicalName: obis,
  index: integer,
  parameter: any,
});

/** Script table, class_id 9, version 0: scripts that a client or a schedule executes by their identifier. */
export const ScriptTable = {
  classId: 9,
  version: 0,
  attributes: {
    logicalName: attribute(1, obis),
    scripts: attribute(
      2,
      arrayOf(structure({ scriptIdentifier: longUnsigned, actions: arrayOf(actionSpecification) })),
    ),
  },
  methods: { execute: method(1, longUnsigned) },
} as const satisfies InterfaceClass;
