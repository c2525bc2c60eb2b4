import { attribute, type InterfaceClass, method } from "./interface-class.ts";
import { any, enumerated, integer, obis, structure } from "./shape.ts";

/** value × 10^scaler of the unit: see unit.ts. */
export const scalerUnit = structure({ scaler: integer, unit: enumerated });

/** Register, class_id 3, version 0. */
export const Register = {
  classId: 3,
  version: 0,
  attributes: { logicalName: attribute(1, obis), value: attribute(2, any), scalerUnit: attribute(3, scalerUnit) },
  methods: { reset: method(1, integer) },
} as const satisfies InterfaceClass;
