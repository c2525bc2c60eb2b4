import { interfaceClass } from "./interface-class.ts";
import {
  any,
  arrayOf,
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

const phase = enumeration({ "not-defined": 0, "phase-1": 1, "phase-2": 2, "phase-3": 3 });
/** S-FSK Phy&MAC set-up, class_id 50, version 1. */
export const SFskPhyMacSetup = interfaceClass(
  "S-FSK Phy&MAC set-up",
  50,
  1,
  {
    initiatorElectricalPhase: phase,
    deltaElectricalPhase: enumerated,
    maxReceivingGain: unsigned,
    maxTransmittingGain: unsigned,
    searchInitiatorThreshold: unsigned,
    /** Hertz. */
    frequencies: structure({ markFrequency: doubleLongUnsigned, spaceFrequency: doubleLongUnsigned }),
    macAddress: longUnsigned,
    macGroupAddresses: arrayOf(longUnsigned),
    repeater: enumeration({ "never-repeater": 0, "always-repeater": 1, "dynamic-repeater": 2 }),
    repeaterStatus: boolean,
    minDeltaCredit: unsigned,
    initiatorMacAddress: longUnsigned,
    synchronizationLocked: boolean,
    transmissionSpeed: enumerated,
  },
  {},
);

/** S-FSK Active initiator, class_id 51, version 0. */
export const SFskActiveInitiator = interfaceClass(
  "S-FSK Active initiator",
  51,
  0,
  { activeInitiator: structure({ systemTitle: octets, macAddress: longUnsigned, lSapSelector: unsigned }) },
  { resetNewNotSynchronized: longUnsigned },
);

/** S-FSK MAC synchronization timeouts, class_id 52, version 0. */
export const SFskMacSynchronizationTimeouts = interfaceClass(
  "S-FSK MAC synchronization timeouts",
  52,
  0,
  {
    searchInitiatorTimeout: longUnsigned,
    synchronizationConfirmationTimeout: longUnsigned,
    timeOutNotAddressed: longUnsigned,
    timeOutFrameNotOk: longUnsigned,
  },
  {},
);

const framesOf = arrayOf(structure({ macAddress: longUnsigned, counter: doubleLongUnsigned }));
/** S-FSK MAC counters, class_id 53, version 0. */
export const SFskMacCounters = interfaceClass(
  "S-FSK MAC counters",
  53,
  0,
  {
    synchronizationRegister: framesOf,
    desynchronizationListing: structure({
      nbPhysicalLayerDesynchronization: doubleLongUnsigned,
      nbTimeOutNotAddressedDesynchronization: doubleLongUnsigned,
      nbTimeOutFrameNotOkDesynchronization: doubleLongUnsigned,
      nbWriteRequestDesynchronization: doubleLongUnsigned,
      nbWrongInitiatorDesynchronization: doubleLongUnsigned,
    }),
    broadcastFramesCounter: framesOf,
    repetitionsCounter: doubleLongUnsigned,
    transmissionsCounter: doubleLongUnsigned,
    crcOkFramesCounter: doubleLongUnsigned,
    crcNokFramesCounter: doubleLongUnsigned,
  },
  { reset: integer },
);

/** IEC 61334-4-32 LLC setup, class_id 55, version 1. */
export const Iec61334LlcSetup = interfaceClass(
  "IEC 61334-4-32 LLC setup",
  55,
  1,
  { maxFrameLength: longUnsigned, replyStatusList: arrayOf(any) },
  {},
);

/** S-FSK Reporting system list, class_id 56, version 0. */
export const SFskReportingSystemList = interfaceClass(
  "S-FSK Reporting system list",
  56,
  0,
  { reportingSystemList: arrayOf(octets) },
  {},
);

/** ISO/IEC 8802-2 LLC Type 1 setup, class_id 57, version 0. */
export const LlcType1Setup = interfaceClass(
  "ISO/IEC 8802-2 LLC Type 1 setup",
  57,
  0,
  { maxOctetsUiPdu: longUnsigned },
  {},
);
/** ISO/IEC 8802-2 LLC Type 2 setup, class_id 58, version 0. */
export const LlcType2Setup = interfaceClass(
  "ISO/IEC 8802-2 LLC Type 2 setup",
  58,
  0,
  {
    transmitWindowSizeK: unsigned,
    receiveWindowSizeRw: unsigned,
    maxOctetsIPduN1: longUnsigned,
    maxNumberTransmissionsN2: unsigned,
    acknowledgementTimer: longUnsigned,
    pBitTimer: longUnsigned,
    rejectTimer: longUnsigned,
    busyStateTimer: longUnsigned,
  },
  {},
);
/** ISO/IEC 8802-2 LLC Type 3 setup, class_id 59, version 0. */
export const LlcType3Setup = interfaceClass(
  "ISO/IEC 8802-2 LLC Type 3 setup",
  59,
  0,
  {
    maxOctetsAcnPduN3: longUnsigned,
    maxNumberTransmissionsN4: unsigned,
    acknowledgementTimeT1: longUnsigned,
    receiveLifetimeVarT2: longUnsigned,
    transmitLifetimeVarT3: longUnsigned,
  },
  {},
);
