import { attribute, type InterfaceClass, method } from "./interface-class.ts";
import { scalerUnit } from "./register.ts";
import { any, dateTime, integer, obis } from "./shape.ts";

/** Extended register, class_id 4, version 0: a register that tells when its value was captured. */
export const ExtendedRegister = {
  classId: 4,
  version: 0,
  attributes: {
    logicalName: attribute(1, obis),
    value: attribute(2, any),
    scalerUnit: attribute(3, scalerUnit),
    status: attribute(4, any),
    captureTime: attribute(5, dateTime),
  },
  methods: { reset: method(1, integer) },
} as const satisfies InterfaceClass;
