import { interfaceClass } from "./interface-class.ts";
import { arrayOf, octets, structure, unsigned } from "./shape.ts";
import { objectDefinition } from "./value-definition.ts";

/** Indexes count the entries of registerAssignment from 1. */
const activationMask = structure({ maskName: octets, indexList: arrayOf(unsigned) });

/** Register activation, class_id 6, version 0: which registers a tariff has running. */
export const RegisterActivation = interfaceClass(
  "Register activation",
  6,
  0,
  { registerAssignment: arrayOf(objectDefinition), maskList: arrayOf(activationMask), activeMask: octets },
  { addRegister: objectDefinition, addMask: activationMask, deleteMask: octets },
  0x30,
);
