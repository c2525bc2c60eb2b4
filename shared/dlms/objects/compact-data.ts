import { restrictedObject } from "./data-protection.ts";
import { interfaceClass } from "./interface-class.ts";
import { captureObject } from "./profile-generic.ts";
import { arrayOf, enumeration, integer, octets, unsigned } from "./shape.ts";

export const CAPTURE_METHOD = { "on-invocation": 0, implicit: 1 } as const;

const v0 = {
  /** The values of captureObjects without their types: see compact-buffer.ts. */
  compactBuffer: octets,
  captureObjects: arrayOf(captureObject),
  templateId: unsigned,
  templateDescription: octets,
  captureMethod: enumeration(CAPTURE_METHOD),
};
const methods = { reset: integer, capture: integer };

/** Compact data, class_id 62, version 0. */
export const CompactData = interfaceClass("Compact data", 62, 0, v0, methods);
export const CompactDataV1 = interfaceClass(
  "Compact data",
  62,
  1,
  { ...v0, captureObjects: arrayOf(restrictedObject) },
  methods,
);
