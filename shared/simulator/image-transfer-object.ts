import type { Data } from "../dlms/data.ts";
import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { IMAGE_TRANSFER_STATUS } from "../dlms/objects/image-transfer.ts";
import { actionResult, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { array, bool, doubleLongUnsigned, enumerated, octetString, structure } from "./cosem-data.ts";
import { IMAGE_BLOCK, type ImageMemory } from "./image-memory.ts";

/** First bit first: bit n is block n. */
function bitmap(image: ImageMemory): Data {
  const length = image.blockCount;
  const octets = new Uint8Array(Math.ceil(length / 8));
  for (let number = 0; number < length; number++)
    if (image.received(number)) octets[number >>> 3] = (octets[number >>> 3] ?? 0) | (0x80 >>> (number & 7));
  return { type: "bit-string", value: { length, octets } };
}

const pair = (parameters: Data | undefined): readonly [Data?, Data?] =>
  parameters?.type === "structure" && parameters.value.length === 2
    ? [parameters.value[0] as Data, parameters.value[1] as Data]
    : [];

/** Image transfer, class_id 18 version 0. */
export const imageTransferObject = (logicalName: LogicalName, image: ImageMemory): CosemObject => ({
  classId: 18,
  version: 0,
  logicalName,
  attributes: {
    2: { get: () => dataResult(doubleLongUnsigned(IMAGE_BLOCK)) },
    3: { get: () => dataResult(bitmap(image)) },
    4: { get: () => dataResult(doubleLongUnsigned(image.firstMissing)) },
    5: {
      get: () => dataResult(bool(image.enabled)),
      set: (value) => {
        if (value.type !== "boolean") return DATA_ACCESS_RESULT["type-unmatched"];
        image.enabled = value.value;
        return DATA_ACCESS_RESULT.success;
      },
    },
    6: { get: () => dataResult(enumerated(IMAGE_TRANSFER_STATUS[image.status])) },
    7: {
      get: () => {
        const { verified } = image;
        if (verified === undefined) return dataResult(array());
        const { size, identifier, signature } = verified;
        return dataResult(array(structure(doubleLongUnsigned(size), octetString(identifier), octetString(signature))));
      },
    },
  },
  methods: {
    1: (parameters) => {
      const [identifier, size] = pair(parameters);
      if (identifier?.type !== "octet-string" || size?.type !== "double-long-unsigned")
        return actionResult("type-unmatched");
      return actionResult(image.initiate(identifier.value, size.value) ? "success" : "other-reason");
    },
    2: (parameters) => {
      const [number, value] = pair(parameters);
      if (number?.type !== "double-long-unsigned" || value?.type !== "octet-string")
        return actionResult("type-unmatched");
      return actionResult(image.block(number.value, value.value) ? "success" : "other-reason");
    },
    3: (parameters) => (parameters?.type === "integer" ? actionResult(image.verify()) : actionResult("type-unmatched")),
    4: (parameters) =>
      parameters?.type === "integer" ? actionResult(image.activate()) : actionResult("type-unmatched"),
  },
});
