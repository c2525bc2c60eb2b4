import { attribute, type InterfaceClass, method } from "./interface-class.ts";
import type { ShapeValue } from "./shape.ts";
import { any, arrayOf, doubleLongUnsigned, enumerated, integer, longUnsigned, obis, structure } from "./shape.ts";

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
export const ProfileGeneric = {
  classId: 7,
  version: 1,
  attributes: {
    logicalName: attribute(1, obis),
    /** Array of structures in the order of captureObjects; rows are read by client/profile-buffer.ts. */
    buffer: attribute(2, any),
    captureObjects: attribute(3, arrayOf(captureObject)),
    /** Seconds; 0: not captured by time. */
    capturePeriod: attribute(4, doubleLongUnsigned),
    sortMethod: attribute(5, enumerated),
    sortObject: attribute(6, captureObject),
    entriesInUse: attribute(7, doubleLongUnsigned),
    profileEntries: attribute(8, doubleLongUnsigned),
  },
  methods: { reset: method(1, integer), capture: method(2, integer) },
} as const satisfies InterfaceClass;
