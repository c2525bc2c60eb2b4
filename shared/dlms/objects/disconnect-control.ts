import { interfaceClass } from "./interface-class.ts";
import { boolean, enumerated, enumeration, integer } from "./shape.ts";

export const CONTROL_STATE = { disconnected: 0, connected: 1, "ready-for-reconnection": 2 } as const;

/** Disconnect control, class_id 70, version 0. */
export const DisconnectControl = interfaceClass(
  "Disconnect control",
  70,
  0,
  {
    /** The physical state: true is connected. */
    outputState: boolean,
    controlState: enumeration(CONTROL_STATE),
    /** Which transitions are allowed: 0 to 6. */
    controlMode: enumerated,
  },
  { remoteDisconnect: integer, remoteReconnect: integer },
  0x20,
);
