import { interfaceClass } from "./interface-class.ts";
import { windowElement } from "./push-setup.ts";
import { any, arrayOf, enumeration, integer, longUnsigned, octets, structure, unsigned } from "./shape.ts";

/** comm_speed, default_baud and their kin. */
export const BAUD_RATE = {
  "300": 0,
  "600": 1,
  "1200": 2,
  "2400": 3,
  "4800": 4,
  "9600": 5,
  "19200": 6,
  "38400": 7,
  "57600": 8,
  "115200": 9,
} as const;
const baudRate = enumeration(BAUD_RATE);

const localPort = {
  defaultMode: enumeration({ "iec-62056-21": 0, hdlc: 1, "not-specified": 2 }),
  defaultBaud: baudRate,
  propBaud: baudRate,
  responseTime: enumeration({ "20-ms": 0, "200-ms": 1 }),
  deviceAddress: octets,
  passP1: octets,
  passP2: octets,
  passW5: octets,
};
/** IEC local port setup, class_id 19; version 1 has the layout of version 0. */
export const IecLocalPortSetupV0 = interfaceClass("IEC local port setup", 19, 0, localPort, {});
export const IecLocalPortSetup = interfaceClass("IEC local port setup", 19, 1, localPort, {});

const hdlc = {
  commSpeed: baudRate,
  windowSizeTransmit: unsigned,
  windowSizeReceive: unsigned,
  maxInfoFieldLengthTransmit: longUnsigned,
  maxInfoFieldLengthReceive: longUnsigned,
  /** Milliseconds. */
  interOctetTimeOut: longUnsigned,
  /** Seconds; 0: none. */
  inactivityTimeOut: longUnsigned,
  deviceAddress: longUnsigned,
};
/** IEC HDLC setup, class_id 23; version 1 widens the ranges of version 0. */
export const IecHdlcSetupV0 = interfaceClass("IEC HDLC setup", 23, 0, hdlc, {});
export const IecHdlcSetup = interfaceClass("IEC HDLC setup", 23, 1, hdlc, {});

/** IEC twisted pair (1) setup, class_id 24, version 1. */
export const IecTwistedPairSetup = interfaceClass(
  "IEC twisted pair (1) setup",
  24,
  1,
  {
    mode: enumeration({ inactive: 0, active: 1 }),
    speed: baudRate,
    primaryAddressList: arrayOf(unsigned),
    tabiList: arrayOf(integer),
  },
  {},
);

const modemProfile = arrayOf(octets);
/** Modem configuration, class_id 27; version 0 is that of a PSTN modem, without delays. */
export const ModemConfigurationV0 = interfaceClass(
  "Modem configuration",
  27,
  0,
  {
    commSpeed: baudRate,
    initializationString: arrayOf(structure({ request: octets, response: octets })),
    modemProfile,
  },
  {},
);
export const ModemConfiguration = interfaceClass(
  "Modem configuration",
  27,
  1,
  {
    commSpeed: baudRate,
    /** delayAfterResponse: milliseconds. */
    initializationString: arrayOf(structure({ request: octets, response: octets, delayAfterResponse: longUnsigned })),
    modemProfile,
  },
  {},
);

const autoAnswer = {
  mode: any,
  listeningWindow: arrayOf(windowElement),
  status: enumeration({ inactive: 0, active: 1, locked: 2 }),
  numberOfCalls: unsigned,
  numberOfRings: structure({ nrRingsInWindow: unsigned, nrRingsOutOfWindow: unsigned }),
};
/** Auto answer, class_id 28. */
export const AutoAnswerV0 = interfaceClass("Auto answer", 28, 0, autoAnswer, {});
export const AutoAnswer = interfaceClass(
  "Auto answer",
  28,
  2,
  {
    ...autoAnswer,
    listOfAllowedCallers: arrayOf(
      structure({ callerId: octets, callType: enumeration({ "normal-csd": 0, "wake-up-request": 1 }) }),
    ),
  },
  {},
);

export const AUTO_CONNECT_MODE = {
  "no-auto-connect": 0,
  "auto-dialling-anytime": 1,
  "auto-dialling-within-calling-window": 2,
  "regular-within-window-alarm-anytime": 3,
  "sms-via-plmn": 4,
  "sms-via-pstn": 5,
  email: 6,
  "permanently-connected": 101,
  "connected-within-window-and-on-invocation": 102,
  "permanently-connected-within-window": 103,
  "connected-on-invocation": 104,
} as const;
const autoConnect = {
  mode: enumeration(AUTO_CONNECT_MODE),
  repetitions: unsigned,
  /** Seconds. */
  repetitionDelay: longUnsigned,
  callingWindow: arrayOf(windowElement),
  destinationList: arrayOf(octets),
};
/** Auto connect, class_id 29; version 0 is PSTN auto dial, and its destinations are phone numbers. */
export const AutoConnectV0 = interfaceClass("Auto connect", 29, 0, autoConnect, {});
export const AutoConnectV1 = interfaceClass("Auto connect", 29, 1, autoConnect, {});
export const AutoConnect = interfaceClass("Auto connect", 29, 2, autoConnect, { connect: integer });
