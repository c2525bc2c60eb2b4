import { interfaceClass } from "./interface-class.ts";
import { any } from "./shape.ts";

/** Data, class_id 1, version 0. */
export const DataObject = interfaceClass("Data", 1, 0, { value: any }, {});
