import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { captureObject } from "../dlms/objects/profile-generic.ts";
import { arrayOf } from "../dlms/objects/shape.ts";
import { actionResult, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { array, enumerated, longUnsigned, octetString, structure, unsigned } from "./cosem-data.ts";
import type { PushSchedule } from "./push-schedule.ts";

const TCP = 0;
const A_XDR = 0;
const OBJECTS_MAX = 32;
const DESTINATION_MAX = 128;
const objectList = arrayOf(captureObject);

/** Push setup, class_id 40 version 0: a client may change what is pushed and where to. */
export const pushSetupObject = (push: PushSchedule): CosemObject => ({
  classId: 40,
  version: 0,
  logicalName: push.push.obis,
  attributes: {
    2: {
      get: () => dataResult(objectList.write(push.objects)),
      set: (value) => {
        const objects = objectList.read(value);
        if (objects === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
        if (objects.length > OBJECTS_MAX) return DATA_ACCESS_RESULT["other-reason"];
        push.objects = objects;
        return DATA_ACCESS_RESULT.success;
      },
    },
    3: {
      get: () => dataResult(structure(enumerated(TCP), octetString(push.destination), enumerated(A_XDR))),
      set: (value) => {
        const [transport, destination, message] =
          value.type === "structure" && value.value.length === 3 ? value.value : [];
        if (transport?.type !== "enum" || destination?.type !== "octet-string" || message?.type !== "enum")
          return DATA_ACCESS_RESULT["type-unmatched"];
        if (transport.value !== TCP || message.value !== A_XDR || destination.value.length > DESTINATION_MAX)
          return DATA_ACCESS_RESULT["other-reason"];
        push.destination = destination.value.slice();
        return DATA_ACCESS_RESULT.success;
      },
    },
    4: { get: () => dataResult(array()) },
    5: { get: () => dataResult(longUnsigned(0)) },
    6: { get: () => dataResult(unsigned(0)) },
    7: { get: () => dataResult(longUnsigned(0)) },
  },
  methods: {
    1: (parameters) => {
      if (parameters?.type !== "integer") return actionResult("type-unmatched");
      push.ask();
      return actionResult("success");
    },
  },
});
