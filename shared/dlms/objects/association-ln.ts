import { associationUser } from "./association-sn.ts";
import { interfaceClass } from "./interface-class.ts";
import {
  any,
  arrayOf,
  enumeration,
  integer,
  longUnsigned,
  obis,
  octets,
  optional,
  structure,
  unsigned,
} from "./shape.ts";

/** The current association. */
export const CURRENT_ASSOCIATION = "0.0.40.0.0.255";
export const ASSOCIATION_STATUS = { "non-associated": 0, "association-pending": 1, associated: 2 } as const;

/** Access modes of an attribute in versions 0 to 2. In version 3 they are bits: `ACCESS_RIGHT`. */
export const ATTRIBUTE_ACCESS = {
  "no-access": 0,
  "read-only": 1,
  "write-only": 2,
  "read-and-write": 3,
  "authenticated-read-only": 4,
  "authenticated-write-only": 5,
  "authenticated-read-and-write": 6,
} as const;
/** Bits of the access modes of version 3; of a method, `read` is access. */
export const ACCESS_RIGHT = {
  read: 0x01,
  write: 0x02,
  authenticatedRequest: 0x04,
  encryptedRequest: 0x08,
  digitallySignedRequest: 0x10,
  authenticatedResponse: 0x20,
  encryptedResponse: 0x40,
  digitallySignedResponse: 0x80,
} as const;

/** One attribute's access; `selectors` null: no selective access. `accessMode` is an enum; a method's may be a boolean. */
const attributeAccessItem = structure({
  attributeId: integer,
  accessMode: any,
  accessSelectors: optional(arrayOf(integer)),
});
export const accessRights = structure({
  attributeAccess: arrayOf(attributeAccessItem),
  methodAccess: arrayOf(structure({ methodId: integer, accessMode: any })),
});
export const objectListElement = structure({
  classId: longUnsigned,
  version: unsigned,
  logicalName: obis,
  accessRights,
});

const v0 = {
  objectList: arrayOf(objectListElement),
  associatedPartnersId: structure({ clientSap: integer, serverSap: longUnsigned }),
  /** An octet-string with the identifier's content, or a structure of its arcs. */
  applicationContextName: any,
  /** conformance, max_receive_pdu_size, max_send_pdu_size, dlms_version_number, quality_of_service, cyphering_info. */
  xDlmsContextInfo: any,
  authenticationMechanismName: any,
  secret: octets,
  associationStatus: enumeration(ASSOCIATION_STATUS),
};
const v1 = { ...v0, securitySetupReference: obis };
const v2 = { ...v1, userList: arrayOf(associationUser), currentUser: associationUser };
const methods = {
  /** f(StoC); answers f(CtoS). */
  replyToHlsAuthentication: octets,
  changeHlsSecret: octets,
  addObject: objectListElement,
  removeObject: objectListElement,
};
const userMethods = { ...methods, addUser: associationUser, removeUser: associationUser };
const METHODS_AT = 0x60;

export const AssociationLnV0 = interfaceClass("Association LN", 15, 0, v0, methods, METHODS_AT);
/** Version 1, the one that meters mostly have; later versions add attributes behind these. */
export const AssociationLn = interfaceClass("Association LN", 15, 1, v1, methods, METHODS_AT);
export const AssociationLnV2 = interfaceClass("Association LN", 15, 2, v2, userMethods, METHODS_AT);
/** Version 3: as 2, with access modes of bits. */
export const AssociationLnV3 = interfaceClass("Association LN", 15, 3, v2, userMethods, METHODS_AT);
