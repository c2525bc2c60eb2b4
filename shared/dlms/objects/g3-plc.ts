import { interfaceClass } from "./interface-class.ts";
import {
  arrayOf,
  bitString,
  boolean,
  doubleLongUnsigned,
  enumerated,
  enumeration,
  integer,
  longUnsigned,
  octets,
  structure,
  unsigned,
} from "./shape.ts";

/** G3-PLC MAC layer counters, class_id 90; version 1 has the layout of version 0. */
const counters = {
  macTxDataPacketCount: doubleLongUnsigned,
  macRxDataPacketCount: doubleLongUnsigned,
  macTxCmdPacketCount: doubleLongUnsigned,
  macRxCmdPacketCount: doubleLongUnsigned,
  macCsmaFailCount: doubleLongUnsigned,
  macCsmaNoAckCount: doubleLongUnsigned,
  macBadCrcCount: doubleLongUnsigned,
  macTxDataBroadcastCount: doubleLongUnsigned,
  macRxDataBroadcastCount: doubleLongUnsigned,
};
export const G3MacLayerCountersV0 = interfaceClass("G3-PLC MAC layer counters", 90, 0, counters, { reset: integer });
export const G3MacLayerCounters = interfaceClass("G3-PLC MAC layer counters", 90, 1, counters, { reset: integer });

const neighbourTable = arrayOf(
  structure({
    shortAddress: longUnsigned,
    payloadModulationScheme: boolean,
    toneMap: bitString,
    modulation: enumerated,
    txGain: integer,
    txRes: enumerated,
    txCoeff: bitString,
    lqi: unsigned,
    phaseDifferential: integer,
    tmrValidTime: unsigned,
    neighbourValidTime: unsigned,
  }),
);
const macV1 = {
  macShortAddress: longUnsigned,
  macRcCoord: longUnsigned,
  macPanId: longUnsigned,
  macKeyTable: arrayOf(structure({ keyId: unsigned, key: octets })),
  macFrameCounter: doubleLongUnsigned,
  macToneMask: bitString,
  macTmrTtl: unsigned,
  macMaxFrameRetries: unsigned,
  macNeighbourTableEntryTtl: unsigned,
  macNeighbourTable: neighbourTable,
  macHighPriorityWindowSize: unsigned,
  macCsmaFairnessLimit: unsigned,
  macBeaconRandomizationWindowLength: unsigned,
  macA: unsigned,
  macK: unsigned,
  macMinCwAttempts: unsigned,
  macCenelecLegacyMode: unsigned,
  macFccLegacyMode: unsigned,
  macMaxBe: unsigned,
  macMaxCsmaBackoffs: unsigned,
  macMinBe: unsigned,
};
const macV2 = {
  ...macV1,
  macBroadcastMaxCwEnabled: boolean,
  macTransmitAtten: unsigned,
  macPosTable: arrayOf(structure({ shortAddress: longUnsigned, lqi: unsigned, posValidTime: unsigned })),
};
/** G3-PLC MAC setup, class_id 91. Versions differ in what stands behind mac_min_BE. */
export const G3MacSetupV1 = interfaceClass("G3-PLC MAC setup", 91, 1, macV1, {
  macGetNeighbourTableEntry: longUnsigned,
});
export const G3MacSetupV2 = interfaceClass("G3-PLC MAC setup", 91, 2, macV2, {
  macGetNeighbourTableEntry: longUnsigned,
});
export const G3MacSetup = interfaceClass(
  "G3-PLC MAC setup",
  91,
  3,
  { ...macV2, macDuplicateDetectionTtl: unsigned },
  { macGetNeighbourTableEntry: longUnsigned, macGetPosTableEntry: longUnsigned },
);

const adpV0 = {
  adpMaxHops: unsigned,
  adpWeakLqiValue: unsigned,
  adpSecurityLevel: unsigned,
  adpPrefixTable: arrayOf(unsigned),
  adpRoutingConfiguration: arrayOf(
    structure({
      adpNetTraversalTime: unsigned,
      adpRoutingTableEntryTtl: longUnsigned,
      adpKr: unsigned,
      adpKm: unsigned,
      adpKc: unsigned,
      adpKq: unsigned,
      adpKh: unsigned,
      adpKrt: unsigned,
      adpRreqRetries: unsigned,
      adpRreqReqWait: unsigned,
      adpBlacklistTableEntryTtl: longUnsigned,
      adpUnicastRreqGenEnable: boolean,
      adpRlcEnabled: boolean,
      adpAddRevLinkCost: unsigned,
    }),
  ),
  adpBroadcastLogTableEntryTtl: longUnsigned,
  adpRoutingTable: arrayOf(
    structure({
      destinationAddress: longUnsigned,
      nextHopAddress: longUnsigned,
      routeCost: longUnsigned,
      hopCount: unsigned,
      weakLinkCount: unsigned,
      validTime: longUnsigned,
    }),
  ),
  adpContextInformationTable: arrayOf(
    structure({
      cid: bitString,
      contextLength: unsigned,
      context: octets,
      c: boolean,
      validLifetime: longUnsigned,
    }),
  ),
  adpBlacklistTable: arrayOf(structure({ blacklistedNeighbourAddress: longUnsigned, validTime: longUnsigned })),
  adpBroadcastLogTable: arrayOf(
    structure({ sourceAddress: longUnsigned, sequenceNumber: unsigned, validTime: longUnsigned }),
  ),
  adpGroupTable: arrayOf(longUnsigned),
  adpMaxJoinWaitTime: longUnsigned,
  adpPathDiscoveryTime: unsigned,
  adpActiveKeyIndex: unsigned,
  adpMetricType: unsigned,
};
const adpV1 = {
  ...adpV0,
  adpCoordShortAddress: longUnsigned,
  adpDisableDefaultRouting: boolean,
  adpDeviceType: enumeration({ "pan-device": 0, "pan-coordinator": 1, "not-defined": 2 }),
};
const adpV2 = { ...adpV1, adpDefaultCoordRouteEnabled: boolean, adpDestinationAddressSet: arrayOf(longUnsigned) };
const ADP = "G3-PLC 6LoWPAN adaptation layer setup";
/** G3-PLC 6LoWPAN adaptation layer setup, class_id 92. */
export const G3AdaptationLayerSetupV0 = interfaceClass(ADP, 92, 0, adpV0, {});
export const G3AdaptationLayerSetupV1 = interfaceClass(ADP, 92, 1, adpV1, {});
export const G3AdaptationLayerSetupV2 = interfaceClass(ADP, 92, 2, adpV2, {});
export const G3AdaptationLayerSetup = interfaceClass(
  ADP,
  92,
  3,
  { ...adpV2, adpLowLqiValue: unsigned, adpHighLqiValue: unsigned },
  {},
);
