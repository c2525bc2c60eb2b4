import type { Data } from "../dlms/data.ts";
import { ACCOUNT_MODE, CHARGE_TYPE, CREDIT_STATUS, CREDIT_TYPE } from "../dlms/objects/prepayment.ts";
import { actionResult, type CosemAttribute, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { DlmsPrepayment } from "../metering/dlms-equipment.ts";
import {
  array,
  doubleLongUnsigned,
  enumerated,
  integer,
  long,
  longUnsigned,
  meterTimeData,
  name,
  octetString,
  structure,
  unsigned,
} from "./cosem-data.ts";
import { CURRENCY, PRICE_A_KWH, type PrepaymentAccount } from "./prepayment-account.ts";
import type { Zone } from "./zone.ts";

const doubleLong = (value: number): Data => ({ type: "double-long", value });
const bits = (octet: number, length = 8): Data => ({
  type: "bit-string",
  value: { length, octets: length === 0 ? new Uint8Array(0) : Uint8Array.of(octet) },
});
const shows = (value: () => Data): CosemAttribute => ({ get: () => dataResult(value()) });
const IMPORT = { classId: 3, obis: "1.0.1.8.0.255", attribute: 2 } as const;
const NEVER = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0x00, 0xff);
/** Wh and thousandths of the currency: a price of a kWh. */
const UNIT_CHARGE = structure(
  structure(integer(3), integer(CURRENCY.scale)),
  structure(longUnsigned(IMPORT.classId), name(IMPORT.obis), integer(IMPORT.attribute)),
  array(structure(octetString(Uint8Array.of(1)), long(PRICE_A_KWH))),
);

/** Account, Credit, Charge and Token gateway (classes 111, 112, 113, 115, each version 0) of one meter. */
export function prepaymentObjects(of: DlmsPrepayment, account: PrepaymentAccount, zone: Zone): readonly CosemObject[] {
  const amounts = (value: () => number): CosemAttribute => shows(() => doubleLong(value()));
  const inUse = (): boolean => account.status === CREDIT_STATUS["in-use"];
  const [charge = "0.0.19.20.0.255"] = of.charges;
  const credits: CosemObject = {
    classId: 112,
    version: 0,
    logicalName: of.credit,
    attributes: {
      2: amounts(() => account.amount),
      3: shows(() => enumerated(CREDIT_TYPE.token)),
      4: shows(() => unsigned(1)),
      5: amounts(() => 5_000),
      6: amounts(() => 0),
      7: shows(() => bits(0x10)),
      8: shows(() => enumerated(account.status)),
      9: amounts(() => 0),
      10: amounts(() => 0),
      11: shows(() => octetString(NEVER)),
    },
    methods: {
      1: (parameters) => {
        if (parameters?.type !== "double-long") return actionResult("type-unmatched");
        return actionResult(account.update(parameters.value) ? "success" : "other-reason");
      },
    },
  };
  const accounts: CosemObject = {
    classId: 111,
    version: 0,
    logicalName: of.account,
    attributes: {
      2: shows(() => structure(enumerated(ACCOUNT_MODE[account.state.mode]), enumerated(account.accountStatus))),
      3: shows(() => unsigned(0)),
      4: shows(() => bits(inUse() ? 0x01 : 0x40)),
      5: amounts(() => Math.max(0, account.amount)),
      6: amounts(() => Math.max(0, -account.amount)),
      7: amounts(() => 0),
      8: amounts(() => 0),
      9: shows(() => array(name(of.credit))),
      10: shows(() => array(...of.charges.map(name))),
      11: shows(() => array(structure(name(of.credit), name(charge), bits(0x01, 3)))),
      12: shows(() => array(structure(name(of.credit), unsigned(100)))),
      13: shows(() => octetString(NEVER)),
      14: shows(() => octetString(NEVER)),
      15: shows(() => structure({ type: "utf8-string", value: CURRENCY.name }, integer(CURRENCY.scale), enumerated(2))),
      16: amounts(() => 5_000),
      17: amounts(() => 0),
      18: shows(() => longUnsigned(0)),
      19: amounts(() => 0),
    },
  };
  const charges: CosemObject = {
    classId: 113,
    version: 0,
    logicalName: charge,
    attributes: {
      2: amounts(() => account.collected),
      3: shows(() => enumerated(CHARGE_TYPE["consumption-based-collection"])),
      4: shows(() => unsigned(1)),
      5: shows(() => UNIT_CHARGE),
      6: shows(() => UNIT_CHARGE),
      7: shows(() => octetString(NEVER)),
      8: shows(() => doubleLongUnsigned(900)),
      9: shows(() => bits(0x02, 2)),
      10: shows(() => octetString(NEVER)),
      11: amounts(() => 0),
      12: amounts(() => 0),
      13: shows(() => longUnsigned(0)),
    },
  };
  if (of.tokenGateway === undefined) return [accounts, credits, charges];
  const gateway: CosemObject = {
    classId: 115,
    version: 0,
    logicalName: of.tokenGateway,
    attributes: {
      2: shows(() => octetString(account.lastToken.octets)),
      3: shows(() => (account.lastToken.at === 0 ? octetString(NEVER) : meterTimeData(zone, account.lastToken.at))),
      4: shows(() => array()),
      5: shows(() => enumerated(0)),
      6: shows(() => structure(enumerated(account.lastToken.status), bits(0, 0))),
    },
    methods: {
      1: (parameters) => {
        if (parameters?.type !== "octet-string") return actionResult("type-unmatched");
        account.enter(parameters.value);
        return actionResult("success");
      },
    },
  };
  return [accounts, credits, charges, gateway];
}
