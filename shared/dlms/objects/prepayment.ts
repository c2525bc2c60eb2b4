import { interfaceClass } from "./interface-class.ts";
import {
  arrayOf,
  bitString,
  dateTime,
  doubleLong,
  doubleLongUnsigned,
  enumeration,
  integer,
  long,
  long64Unsigned,
  longUnsigned,
  obis,
  octets,
  structure,
  unsigned,
  utf8String,
  visibleString,
} from "./shape.ts";
import { valueDefinition } from "./value-definition.ts";

export const ACCOUNT_MODE = { "credit-mode": 1, "prepayment-mode": 2 } as const;
export const ACCOUNT_STATUS = { "new-inactive-account": 1, "account-active": 2, "account-closed": 3 } as const;

/** Account, class_id 111, version 0. Amounts in the unit of `currency`. */
export const Account = interfaceClass(
  "Account",
  111,
  0,
  {
    accountModeAndStatus: structure({
      accountMode: enumeration(ACCOUNT_MODE),
      accountStatus: enumeration(ACCOUNT_STATUS),
    }),
    currentCreditInUse: unsigned,
    currentCreditStatus: bitString,
    availableCredit: doubleLong,
    amountToClear: doubleLong,
    clearanceThreshold: doubleLong,
    aggregatedDebt: doubleLong,
    creditReferenceList: arrayOf(obis),
    chargeReferenceList: arrayOf(obis),
    creditChargeConfiguration: arrayOf(
      structure({ creditReference: obis, chargeReference: obis, collectionConfiguration: bitString }),
    ),
    tokenGatewayConfiguration: arrayOf(structure({ creditReference: obis, tokenProportion: unsigned })),
    accountActivationTime: dateTime,
    accountClosureTime: dateTime,
    currency: structure({
      currencyName: utf8String,
      currencyScale: integer,
      currencyUnit: enumeration({ time: 0, consumption: 1, monetary: 2 }),
    }),
    lowCreditThreshold: doubleLong,
    nextCreditAvailableThreshold: doubleLong,
    maxProvision: longUnsigned,
    /** Seconds. */
    maxProvisionPeriod: doubleLong,
  },
  { activateAccount: integer, closeAccount: integer, resetAccount: integer },
);

export const CREDIT_TYPE = {
  token: 0,
  reserved: 1,
  emergency: 2,
  "time-based": 3,
  "consumption-based": 4,
} as const;
export const CREDIT_STATUS = { enabled: 0, selectable: 1, "selected-invoked": 2, "in-use": 3, exhausted: 4 } as const;

/** Credit, class_id 112, version 0. */
export const Credit = interfaceClass(
  "Credit",
  112,
  0,
  {
    currentCreditAmount: doubleLong,
    creditType: enumeration(CREDIT_TYPE),
    priority: unsigned,
    warningThreshold: doubleLong,
    limit: doubleLong,
    creditConfiguration: bitString,
    creditStatus: enumeration(CREDIT_STATUS),
    presetCreditAmount: doubleLong,
    creditAvailableThreshold: doubleLong,
    period: dateTime,
  },
  { updateAmount: doubleLong, setAmountToValue: doubleLong, invokeCredit: integer },
);

export const CHARGE_TYPE = {
  "consumption-based-collection": 0,
  "time-based-collection": 1,
  "payment-event-based-collection": 2,
} as const;

const chargeTable = arrayOf(structure({ index: octets, chargePerUnit: long }));
const unitCharge = structure({
  chargePerUnitScaling: structure({ commodityScale: integer, priceScale: integer }),
  commodityReference: valueDefinition,
  chargeTable,
});
/** Charge, class_id 113, version 0. */
export const Charge = interfaceClass(
  "Charge",
  113,
  0,
  {
    totalAmountPaid: doubleLong,
    chargeType: enumeration(CHARGE_TYPE),
    priority: unsigned,
    unitChargeActive: unitCharge,
    unitChargePassive: unitCharge,
    unitChargeActivationTime: dateTime,
    /** Seconds. */
    period: doubleLongUnsigned,
    chargeConfiguration: bitString,
    lastCollectionTime: dateTime,
    lastCollectionAmount: doubleLong,
    totalAmountRemaining: doubleLong,
    proportion: longUnsigned,
  },
  {
    updateUnitCharge: chargeTable,
    activatePassiveUnitCharge: integer,
    collect: integer,
    updateTotalAmountRemaining: doubleLong,
    setTotalAmountRemaining: doubleLong,
  },
);

export const TOKEN_STATUS = {
  "format-ok": 0,
  "authentication-ok": 1,
  "validation-ok": 2,
  "token-execution-ok": 3,
  "format-failure": 4,
  "authentication-failure": 5,
  "validation-failure": 6,
  "token-execution-failure": 7,
  "token-received": 8,
} as const;

/** Token gateway, class_id 115, version 0. */
export const TokenGateway = interfaceClass(
  "Token gateway",
  115,
  0,
  {
    token: octets,
    tokenTime: dateTime,
    tokenDescription: arrayOf(octets),
    tokenDeliveryMethod: enumeration({ remote: 0, local: 1, manual: 2 }),
    tokenStatus: structure({ statusCode: enumeration(TOKEN_STATUS), dataValue: bitString }),
  },
  { enter: octets },
);

/** IEC 62055-41 attributes, class_id 116, version 0: what an STS meter tells of its keys. */
export const Iec62055Attributes = interfaceClass(
  "IEC 62055-41 attributes",
  116,
  0,
  {
    meterPan: structure({
      issuerId: doubleLongUnsigned,
      decoderReferenceNumber: long64Unsigned,
      panCheckDigit: unsigned,
    }),
    commodity: visibleString,
    tokenCarrierTypes: arrayOf(unsigned),
    encryptionAlgorithm: unsigned,
    supplyGroupCode: doubleLongUnsigned,
    tariffIndex: unsigned,
    keyRevisionNumber: unsigned,
    keyType: unsigned,
    keyExpiryNumber: unsigned,
    noOfKctSupported: unsigned,
    stsCertificateNo: visibleString,
  },
  {},
);
