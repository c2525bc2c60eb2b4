import type { Data } from "../dlms/data.ts";
import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";

/** Data, class_id 1 version 0: attribute 2 value. */
export const dataObject = (logicalName: LogicalName, value: () => Data): CosemObject => ({
  classId: 1,
  version: 0,
  logicalName,
  attributes: { 2: { get: () => dataResult(value()) } },
});

/** A Data object whose value a client may set, as long as it keeps its type. */
export function settableDataObject(
  logicalName: LogicalName,
  memory: { value: Data; readonly octetsMax: number },
): CosemObject {
  return {
    ...dataObject(logicalName, () => memory.value),
    attributes: {
      2: {
        get: () => dataResult(memory.value),
        set: (value) => {
          if (value.type !== memory.value.type) return DATA_ACCESS_RESULT["type-unmatched"];
          if (value.type === "octet-string" && value.value.length > memory.octetsMax)
            return DATA_ACCESS_RESULT["other-reason"];
          memory.value = value.type === "octet-string" ? { ...value, value: value.value.slice() } : value;
          return DATA_ACCESS_RESULT.success;
        },
      },
    },
  };
}
