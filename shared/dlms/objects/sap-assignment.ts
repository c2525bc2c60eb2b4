import { interfaceClass } from "./interface-class.ts";
import { arrayOf, longUnsigned, octets, structure } from "./shape.ts";

const assignment = structure({ sap: longUnsigned, logicalDeviceName: octets });

/** SAP assignment, class_id 17, version 0: the logical devices of a physical device. */
export const SapAssignment = interfaceClass(
  "SAP assignment",
  17,
  0,
  { sapAssignmentList: arrayOf(assignment) },
  { connectLogicalDevice: assignment },
);
