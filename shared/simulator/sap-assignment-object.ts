import { type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { array, longUnsigned, structure, text } from "./cosem-data.ts";

/** SAP assignment, class_id 17 version 0, of a physical device with one logical device. */
export const sapAssignmentObject = (serverSap: number, logicalDeviceName: string): CosemObject => ({
  classId: 17,
  version: 0,
  logicalName: "0.0.41.0.0.255",
  attributes: { 2: { get: () => dataResult(array(structure(longUnsigned(serverSap), text(logicalDeviceName)))) } },
});
