import { interfaceClass } from "./interface-class.ts";
import {
  any,
  arrayOf,
  integer,
  long,
  longUnsigned,
  obis,
  octets,
  optional,
  structure,
  unsigned,
  visibleString,
} from "./shape.ts";

/** Base name of the current Association SN: its logical name is that of the current Association LN. */
export const ASSOCIATION_SN_BASE_NAME = 0xfa00;

/** base_name is a long: 0xFA00 reads as -1536. */
const objectListElement = structure({ baseName: long, classId: longUnsigned, version: unsigned, logicalName: obis });

const accessRightsElement = structure({
  baseName: long,
  attributeAccess: arrayOf(
    structure({ attributeId: integer, accessMode: any, accessSelectors: optional(arrayOf(integer)) }),
  ),
  methodAccess: arrayOf(structure({ methodId: integer, accessMode: any })),
});

/** One entry of user_list: who may use the association. */
export const associationUser = structure({ id: unsigned, name: visibleString });

const v1 = { objectList: arrayOf(objectListElement) };
const v2 = { ...v1, accessRightsList: arrayOf(accessRightsElement), securitySetupReference: obis };
const methods = {
  /** Methods 1, 2, 4 and 7 are reserved in later versions. */
  getListByClassId: any,
  getObjectByLogicalName: any,
  /** Answers the values of the attributes named. */
  readByLogicalName: arrayOf(structure({ classId: longUnsigned, logicalName: obis, attributeIndex: integer })),
  getAttributesAndServices: any,
  changeLlsSecret: octets,
  changeHlsSecret: octets,
  getHlsChallenge: any,
  /** f(StoC); answers f(CtoS). */
  replyToHlsAuthentication: octets,
};
const METHODS_AT = 0x20;

export const AssociationSnV1 = interfaceClass("Association SN", 12, 1, v1, methods, METHODS_AT);
export const AssociationSnV2 = interfaceClass("Association SN", 12, 2, v2, methods, METHODS_AT);
export const AssociationSnV3 = interfaceClass(
  "Association SN",
  12,
  3,
  { ...v2, userList: arrayOf(associationUser), currentUser: associationUser },
  { ...methods, addUser: associationUser, removeUser: associationUser },
  METHODS_AT,
);
/** Version 4: access modes of `accessRightsList` are those of Association LN version 3. */
export const AssociationSn = interfaceClass(
  "Association SN",
  12,
  4,
  { ...v2, userList: arrayOf(associationUser), currentUser: associationUser },
  { ...methods, addUser: associationUser, removeUser: associationUser },
  METHODS_AT,
);
