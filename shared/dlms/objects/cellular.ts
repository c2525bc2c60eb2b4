import { interfaceClass } from "./interface-class.ts";
import {
  arrayOf,
  dateTime,
  doubleLongUnsigned,
  enumeration,
  integer,
  longUnsigned,
  octets,
  structure,
  unsigned,
  visibleString,
} from "./shape.ts";

const qosElement = structure({
  precedence: unsigned,
  delay: unsigned,
  reliability: unsigned,
  peakThroughput: unsigned,
  meanThroughput: unsigned,
});
/** GPRS modem setup, class_id 45, version 0. */
export const GprsModemSetup = interfaceClass(
  "GPRS modem setup",
  45,
  0,
  { apn: octets, pinCode: longUnsigned, qualityOfService: structure({ default: qosElement, requested: qosElement }) },
  {},
);

export const GSM_STATUS = {
  "not-registered": 0,
  "registered-home-network": 1,
  "not-registered-searching": 2,
  "registration-denied": 3,
  unknown: 4,
  "registered-roaming": 5,
} as const;
/** Values from 5 on came with later versions. */
export const PS_STATUS = {
  inactive: 0,
  gprs: 1,
  edge: 2,
  umts: 3,
  hsdpa: 4,
  lte: 5,
  cdma: 6,
  "lte-cat-m1": 7,
  "lte-cat-nb1": 8,
  "lte-cat-nb2": 9,
} as const;

const network = {
  operator: visibleString,
  status: enumeration(GSM_STATUS),
  csAttachment: enumeration({ inactive: 0, "incoming-call": 1, active: 2 }),
  psStatus: enumeration(PS_STATUS),
};
const v0 = {
  ...network,
  cellInfo: structure({ cellId: longUnsigned, locationId: longUnsigned, signalQuality: unsigned, ber: unsigned }),
  adjacentCells: arrayOf(structure({ cellId: longUnsigned, signalQuality: unsigned })),
  captureTime: dateTime,
};
const v1 = {
  ...network,
  cellInfo: structure({
    cellId: doubleLongUnsigned,
    locationId: longUnsigned,
    signalQuality: unsigned,
    ber: unsigned,
    mcc: longUnsigned,
    mnc: longUnsigned,
    channelNumber: doubleLongUnsigned,
  }),
  adjacentCells: arrayOf(structure({ cellId: doubleLongUnsigned, signalQuality: unsigned })),
  captureTime: dateTime,
};
/** GSM diagnostic, class_id 47. */
export const GsmDiagnosticV0 = interfaceClass("GSM diagnostic", 47, 0, v0, {});
export const GsmDiagnostic = interfaceClass("GSM diagnostic", 47, 1, v1, {});

/** LTE monitoring, class_id 151. Timers in seconds. */
export const LteMonitoringV0 = interfaceClass(
  "LTE monitoring",
  151,
  0,
  {
    lteQualityOfService: structure({
      t3402: longUnsigned,
      t3412: longUnsigned,
      rsrq: unsigned,
      rsrp: unsigned,
      qRxlevMin: integer,
    }),
  },
  {},
);
export const LteMonitoring = interfaceClass(
  "LTE monitoring",
  151,
  1,
  {
    lteNetworkParameters: structure({
      t3402: longUnsigned,
      t3412: longUnsigned,
      t3412ext2: doubleLongUnsigned,
      t3324: longUnsigned,
      teDrx: doubleLongUnsigned,
      tptw: longUnsigned,
      qRxlevMin: integer,
      qRxlevMinCe: integer,
      qRxlevMinCe1: integer,
    }),
    lteQualityOfService: structure({
      rsrq: integer,
      rsrp: integer,
      snr: integer,
      ce: enumeration({ "mode-a-level-0": 0, "mode-a-level-1": 1, "mode-b-level-2": 2, "mode-b-level-3": 3 }),
    }),
  },
  {},
);
