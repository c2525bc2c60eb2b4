import { protectionParameters, restrictedColumns, restrictedObject } from "./data-protection.ts";
import { interfaceClass } from "./interface-class.ts";
import { captureObject } from "./profile-generic.ts";
import {
  arrayOf,
  dateTime,
  doubleLongUnsigned,
  enumeration,
  integer,
  longUnsigned,
  obis,
  octets,
  structure,
  unsigned,
} from "./shape.ts";

/** transport_service; 200 and above are the manufacturer's. */
export const TRANSPORT_SERVICE = {
  tcp: 0,
  udp: 1,
  ftp: 2,
  smtp: 3,
  sms: 4,
  hdlc: 5,
  "m-bus": 6,
  zigbee: 7,
  "dlms-gateway": 8,
} as const;
/** message_type; 128 and above are the manufacturer's. */
export const PUSH_MESSAGE = { "a-xdr-encoded-xdlms-apdu": 0, "xml-encoded-xdlms-apdu": 1 } as const;
export const PUSH_OPERATION_METHOD = {
  "unconfirmed-retry-on-supporting-layer-failure": 0,
  "unconfirmed-retry-on-missing-supporting-layer-confirmation": 1,
  "confirmed-retry-on-missing-confirmation": 2,
} as const;

/** From start_time to end_time the window is open. */
export const windowElement = structure({ startTime: dateTime, endTime: dateTime });

const v0 = {
  pushObjectList: arrayOf(captureObject),
  sendDestinationAndMethod: structure({
    transportService: enumeration(TRANSPORT_SERVICE),
    destination: octets,
    message: enumeration(PUSH_MESSAGE),
  }),
  communicationWindow: arrayOf(windowElement),
  /** Seconds. */
  randomisationStartInterval: longUnsigned,
  numberOfRetries: unsigned,
  /** Seconds. */
  repetitionDelay: longUnsigned,
};
const v1 = {
  ...v0,
  pushObjectList: arrayOf(restrictedObject),
  portReference: obis,
  pushClientSap: integer,
  pushProtectionParameters: arrayOf(protectionParameters),
};
const PUSH_AT = 0x38;

/** Push setup, class_id 40, version 0. */
export const PushSetupV0 = interfaceClass("Push setup", 40, 0, v0, { push: integer }, PUSH_AT);
export const PushSetupV1 = interfaceClass("Push setup", 40, 1, v1, { push: integer });
export const PushSetupV2 = interfaceClass(
  "Push setup",
  40,
  2,
  {
    ...v1,
    pushObjectList: arrayOf(restrictedColumns),
    /** Seconds, and hundredths by which each delay outgrows the one before. */
    repetitionDelay: structure({ min: longUnsigned, exponent: longUnsigned, max: longUnsigned }),
    pushOperationMethod: enumeration(PUSH_OPERATION_METHOD),
    confirmationParameters: structure({ confirmationStartDate: dateTime, confirmationInterval: doubleLongUnsigned }),
    lastConfirmationDateTime: dateTime,
  },
  { push: integer, reset: integer },
);
