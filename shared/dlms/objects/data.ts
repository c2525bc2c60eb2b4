import { attribute, type InterfaceClass } from "./interface-class.ts";
import { any, obis } from "./shape.ts";

/** Data, class_id 1, version 0. */
export const DataObject = {
  classId: 1,
  version: 0,
  attributes: { logicalName: attribute(1, obis), value: attribute(2, any) },
  methods: {},
} as const satisfies InterfaceClass;
