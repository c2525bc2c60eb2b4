import { interfaceClass } from "./interface-class.ts";
import { windowElement } from "./push-setup.ts";
import { BAUD_RATE } from "./serial-ports.ts";
import {
  any,
  arrayOf,
  dateTime,
  doubleLongUnsigned,
  enumerated,
  enumeration,
  integer,
  longUnsigned,
  obis,
  octets,
  structure,
  unsigned,
} from "./shape.ts";

/** M-Bus slave port setup, class_id 25, version 0. */
export const MBusSlavePortSetup = interfaceClass(
  "M-Bus slave port setup",
  25,
  0,
  {
    defaultBaud: enumeration(BAUD_RATE),
    availBaud: enumeration(BAUD_RATE),
    addressState: enumeration({ "not-assigned": 0, assigned: 1 }),
    busAddress: unsigned,
  },
  {},
);

export const ENCRYPTION_KEY_STATUS = {
  "no-encryption-key": 0,
  "encryption-key-set": 1,
  "encryption-key-transferred": 2,
  "encryption-key-set-and-transferred": 3,
  "encryption-key-in-use": 4,
} as const;

const client = {
  mbusPortReference: obis,
  captureDefinition: arrayOf(structure({ dataInformationBlock: octets, valueInformationBlock: octets })),
  /** Seconds. */
  capturePeriod: doubleLongUnsigned,
  primaryAddress: unsigned,
  /** Eight digits of BCD (EN 13757). */
  identificationNumber: doubleLongUnsigned,
  /** Three letters of 5 bits (EN 13757). */
  manufacturerId: longUnsigned,
  version: unsigned,
  deviceType: unsigned,
  accessNumber: unsigned,
  status: unsigned,
  alarm: unsigned,
};
const methods = {
  slaveInstall: unsigned,
  slaveDeinstall: integer,
  capture: integer,
  resetAlarm: integer,
  synchronizeClock: integer,
  dataSend: arrayOf(structure({ dataInformationBlock: octets, valueInformationBlock: octets, data: any })),
  setEncryptionKey: octets,
  transferKey: octets,
};
/** M-Bus client, class_id 72. */
export const MBusClientV0 = interfaceClass("M-Bus client", 72, 0, client, methods, 0x60);
export const MBusClient = interfaceClass(
  "M-Bus client",
  72,
  1,
  { ...client, configuration: longUnsigned, encryptionKeyStatus: enumeration(ENCRYPTION_KEY_STATUS) },
  methods,
);

/** Wireless Mode Q channel, class_id 73, version 1. */
export const WirelessModeQChannel = interfaceClass(
  "Wireless Mode Q channel",
  73,
  1,
  { addrState: enumeration({ "not-assigned": 0, assigned: 1 }), deviceAddress: octets, addressMask: octets },
  {},
);

/** M-Bus master port setup, class_id 74, version 0. */
export const MBusMasterPortSetup = interfaceClass(
  "M-Bus master port setup",
  74,
  0,
  { commSpeed: enumeration(BAUD_RATE) },
  {},
);

/** DLMS server M-Bus port setup, class_id 76, version 0. */
export const DlmsServerMBusPortSetup = interfaceClass(
  "DLMS server M-Bus port setup",
  76,
  0,
  {
    mbusProfileSelection: obis,
    mbusPortCommunicationState: enumerated,
    mbusDataHeaderType: enumerated,
    primaryAddress: unsigned,
    identificationNumber: doubleLongUnsigned,
    manufacturerId: longUnsigned,
    mbusVersion: unsigned,
    deviceType: unsigned,
    maxPduSize: longUnsigned,
    listeningWindow: arrayOf(windowElement),
  },
  {},
);

/** M-Bus diagnostic, class_id 77, version 0. */
export const MBusDiagnostic = interfaceClass(
  "M-Bus diagnostic",
  77,
  0,
  {
    /** dBm below zero: 80 is -80. */
    receivedSignalStrength: unsigned,
    channelId: unsigned,
    linkStatus: enumeration({ none: 0, normal: 1, "temporarily-interrupted": 2, "permanently-interrupted": 3 }),
    broadcastFramesCounter: arrayOf(
      structure({ clientId: unsigned, counter: doubleLongUnsigned, timeStamp: dateTime }),
    ),
    transmissionsCounter: doubleLongUnsigned,
    fcsOkFramesCounter: doubleLongUnsigned,
    fcsNokFramesCounter: doubleLongUnsigned,
    captureTime: structure({ attributeId: unsigned, timeStamp: dateTime }),
  },
  { reset: integer },
);
