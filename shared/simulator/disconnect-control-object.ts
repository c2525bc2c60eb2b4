import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { actionResult, type CosemMethod, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { bool, enumerated } from "./cosem-data.ts";
import { CONTROL_MODES, CONTROL_STATE, type ControlMode, type DisconnectSwitch } from "./disconnect-switch.ts";

/**
 * Disconnect control, class_id 70 version 0: 2 output_state (the contact), 3 control_state, 4 control_mode. A method
 * that the mode does not allow is refused; success means accepted, not moved.
 */
export function disconnectControlObject(
  logicalName: LogicalName,
  relay: DisconnectSwitch,
  options: { readonly hollow?: boolean } = {},
): CosemObject {
  const method =
    (operate: () => boolean): CosemMethod =>
    (parameters) => {
      if (parameters?.type !== "integer") return actionResult("type-unmatched");
      if (options.hollow === true) return actionResult("success");
      return actionResult(operate() ? "success" : "read-write-denied");
    };
  return {
    classId: 70,
    version: 0,
    logicalName,
    attributes: {
      2: { get: () => dataResult(bool(relay.closed)) },
      3: { get: () => dataResult(enumerated(CONTROL_STATE[relay.state])) },
      4: {
        get: () => dataResult(enumerated(relay.mode)),
        set: (value) => {
          if (value.type !== "enum") return DATA_ACCESS_RESULT["type-unmatched"];
          if (!(value.value in CONTROL_MODES)) return DATA_ACCESS_RESULT["other-reason"];
          return relay.setMode(value.value as ControlMode)
            ? DATA_ACCESS_RESULT.success
            : DATA_ACCESS_RESULT["other-reason"];
        },
      },
    },
    methods: { 1: method(() => relay.remoteDisconnect()), 2: method(() => relay.remoteReconnect()) },
  };
}
