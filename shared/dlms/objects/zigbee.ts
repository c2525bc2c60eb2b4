import { interfaceClass } from "./interface-class.ts";
import { any, arrayOf, boolean, doubleLongUnsigned, enumerated, longUnsigned, octets, unsigned } from "./shape.ts";

/** ZigBee SAS startup, class_id 101, version 0. */
export const ZigbeeSasStartup = interfaceClass(
  "ZigBee SAS startup",
  101,
  0,
  {
    shortAddress: longUnsigned,
    extendedPanId: octets,
    panId: longUnsigned,
    channelMask: doubleLongUnsigned,
    protocolVersion: unsigned,
    stackProfile: enumerated,
    startUpControl: unsigned,
    trustCenterAddress: octets,
    linkKey: octets,
    networkKey: octets,
    useInsecureJoin: boolean,
  },
  {},
);

/** ZigBee SAS join, class_id 102, version 0. */
export const ZigbeeSasJoin = interfaceClass(
  "ZigBee SAS join",
  102,
  0,
  {
    scanAttempts: unsigned,
    timeBetweenScans: longUnsigned,
    rejoinInterval: longUnsigned,
    rejoinRetryInterval: longUnsigned,
  },
  {},
);

/** ZigBee SAS APS fragmentation, class_id 103, version 0. */
export const ZigbeeSasApsFragmentation = interfaceClass(
  "ZigBee SAS APS fragmentation",
  103,
  0,
  { apsInterframeDelay: longUnsigned, apsMaxWindowSize: longUnsigned },
  {},
);

/** ZigBee network control, class_id 104, version 0; the parameters of its methods are not described. */
export const ZigbeeNetworkControl = interfaceClass(
  "ZigBee network control",
  104,
  0,
  { enableDisableJoining: boolean, joinTimeout: longUnsigned, activeDevices: arrayOf(any) },
  {
    registerDevice: any,
    unregisterDevice: any,
    unregisterAllDevices: any,
    backupPan: any,
    restorePan: any,
    identifyDevice: any,
    removeMirror: any,
    updateNetworkKey: any,
    updateLinkKey: any,
    createPan: any,
    removePan: any,
  },
  0x20,
);

/** ZigBee tunnel setup, class_id 105, version 0. */
export const ZigbeeTunnelSetup = interfaceClass(
  "ZigBee tunnel setup",
  105,
  0,
  {
    maximumIncomingTransferSize: longUnsigned,
    maximumOutgoingTransferSize: longUnsigned,
    protocolAddress: octets,
    closeTunnelTimeout: longUnsigned,
  },
  {},
);
