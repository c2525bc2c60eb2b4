import { interfaceClass } from "./interface-class.ts";
import { any, enumerated, integer, structure } from "./shape.ts";

/** value × 10^scaler of the unit: see unit.ts. */
export const scalerUnit = structure({ scaler: integer, unit: enumerated });

/** Register, class_id 3, version 0. */
export const Register = interfaceClass("Register", 3, 0, { value: any, scalerUnit }, { reset: integer }, 0x28);
