import { interfaceClass } from "./interface-class.ts";
import { scalerUnit } from "./register.ts";
import { any, dateTime, integer } from "./shape.ts";

/** Extended register, class_id 4, version 0: a register that tells when its value was captured. */
export const ExtendedRegister = interfaceClass(
  "Extended register",
  4,
  0,
  { value: any, scalerUnit, status: any, captureTime: dateTime },
  { reset: integer },
  0x38,
);
