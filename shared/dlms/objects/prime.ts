import { interfaceClass } from "./interface-class.ts";
import {
  arrayOf,
  doubleLongUnsigned,
  enumeration,
  integer,
  long,
  longUnsigned,
  octets,
  structure,
  unsigned,
} from "./shape.ts";

/** 61334-4-32 LLC SSCS setup, class_id 80, version 0. */
export const LlcSscsSetup = interfaceClass(
  "61334-4-32 LLC SSCS setup",
  80,
  0,
  { serviceNodeAddress: longUnsigned, baseNodeAddress: longUnsigned },
  { reset: integer },
);

/** PRIME NB OFDM PLC physical layer counters, class_id 81, version 0. */
export const PrimePhysicalLayerCounters = interfaceClass(
  "PRIME NB OFDM PLC physical layer counters",
  81,
  0,
  {
    phyStatsCrcIncorrectCount: longUnsigned,
    phyStatsCrcFailCount: longUnsigned,
    phyStatsTxDropCount: longUnsigned,
    phyStatsRxDropCount: longUnsigned,
  },
  { reset: integer },
);

/** PRIME NB OFDM PLC MAC setup, class_id 82, version 0. */
export const PrimeMacSetup = interfaceClass(
  "PRIME NB OFDM PLC MAC setup",
  82,
  0,
  {
    macMinSwitchSearchTime: unsigned,
    macMaxPromotionPdu: unsigned,
    macPromotionPduTxPeriod: unsigned,
    macBeaconsPerFrame: unsigned,
    macScpMaxTxAttempts: unsigned,
    macCtlReTxTimer: unsigned,
    macMaxCtlReTx: unsigned,
  },
  {},
);

/** PRIME NB OFDM PLC MAC functional parameters, class_id 83, version 0. */
export const PrimeMacFunctionalParameters = interfaceClass(
  "PRIME NB OFDM PLC MAC functional parameters",
  83,
  0,
  {
    macLnid: long,
    macLsid: unsigned,
    macSid: unsigned,
    macSna: octets,
    macState: enumeration({ disconnected: 0, terminal: 1, switch: 2, base: 3 }),
    macScpLength: long,
    macNodeHierarchyLevel: unsigned,
    macBeaconSlotCount: unsigned,
    macBeaconRxSlot: unsigned,
    macBeaconTxSlot: unsigned,
    macBeaconRxFrequency: unsigned,
    macBeaconTxFrequency: unsigned,
    macCapabilities: longUnsigned,
  },
  {},
);

/** PRIME NB OFDM PLC MAC counters, class_id 84, version 0. */
export const PrimeMacCounters = interfaceClass(
  "PRIME NB OFDM PLC MAC counters",
  84,
  0,
  {
    macTxDataPktCount: doubleLongUnsigned,
    macRxDataPktCount: doubleLongUnsigned,
    macTxCtrlPktCount: doubleLongUnsigned,
    macRxCtrlPktCount: doubleLongUnsigned,
    macCsmaFailCount: doubleLongUnsigned,
    macCsmaChBusyCount: doubleLongUnsigned,
  },
  { reset: integer },
);

/** PRIME NB OFDM PLC MAC network administration data, class_id 85, version 0. */
export const PrimeMacNetworkAdministrationData = interfaceClass(
  "PRIME NB OFDM PLC MAC network administration data",
  85,
  0,
  {
    macListMulticastEntries: arrayOf(structure({ mcastEntryLcid: integer, mcastEntryMembers: long })),
    macListSwitchTable: arrayOf(long),
    macListDirectTable: arrayOf(
      structure({
        dconnEntrySrcSid: long,
        dconnEntrySrcLnid: long,
        dconnEntrySrcLcid: long,
        dconnEntryDstSid: long,
        dconnEntryDstLnid: long,
        dconnEntryDstLcid: long,
        dconnEntryDid: octets,
      }),
    ),
    macListAvailableSwitches: arrayOf(
      structure({
        slistEntrySna: octets,
        slistEntryLsid: long,
        slistEntryLevel: integer,
        slistEntryRxLvl: integer,
        slistEntryRxSnr: integer,
      }),
    ),
    macListPhyComm: arrayOf(
      structure({
        phyCommEui: octets,
        phyCommTxPwr: integer,
        phyCommTxCod: integer,
        phyCommRxCod: integer,
        phyCommRxLvl: integer,
        phyCommSnr: integer,
        phyCommTxPwrMod: integer,
        phyCommTxCodMod: integer,
        phyCommRxCodMod: integer,
      }),
    ),
  },
  { reset: integer },
);

/** PRIME NB OFDM PLC application identification, class_id 86, version 0. */
export const PrimeApplicationIdentification = interfaceClass(
  "PRIME NB OFDM PLC application identification",
  86,
  0,
  { firmwareVersion: octets, vendorId: longUnsigned, productId: longUnsigned },
  {},
);
