import { interfaceClass } from "./interface-class.ts";
import type { ShapeValue } from "./shape.ts";
import { any, arrayOf, doubleLongUnsigned, enumeration, integer, longUnsigned, obis, structure } from "./shape.ts";

/** capture_object_definition: which attribute of which object a column holds; `dataIndex` 0 is the whole attribute. */
export const captureObject = structure({
  classId: longUnsigned,
  logicalName: obis,
  attributeIndex: integer,
  dataIndex: longUnsigned,
});
export type CaptureObject = ShapeValue<typeof captureObject>;

export const SORT_METHOD = {
  fifo: 1,
  lifo: 2,
  largest: 3,
  smallest: 4,
  "nearest-to-zero": 5,
  "farthest-from-zero": 6,
} as const;

/** Profile generic, class_id 7, version 1. */
export const ProfileGeneric = interfaceClass(
  "Profile generic",
  7,
  1,
  {
    /** Array of structures in the order of captureObjects; rows are read by client/profile-buffer.ts. */
    buffer: any,
    captureObjects: arrayOf(captureObject),
    /** Seconds; 0: not captured by time. */
    capturePeriod: doubleLongUnsigned,
    sortMethod: enumeration(SORT_METHOD),
    sortObject: captureObject,
    entriesInUse: doubleLongUnsigned,
    profileEntries: doubleLongUnsigned,
  },
  { reset: integer, capture: integer },
  0x58,
);
