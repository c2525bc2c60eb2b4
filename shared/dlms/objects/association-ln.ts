import { attribute, type InterfaceClass, method } from "./interface-class.ts";
import { any, arrayOf, enumerated, integer, longUnsigned, obis, octets, structure, unsigned } from "./shape.ts";

/** The current association. */
export const CURRENT_ASSOCIATION = "0.0.40.0.0.255";
export const ASSOCIATION_STATUS = { "non-associated": 0, "association-pending": 1, associated: 2 } as const;

/** Association LN, class_id 15, version 1; later versions add attributes behind these. */
export const AssociationLn = {
  classId: 15,
  version: 1,
  attributes: {
    logicalName: attribute(1, obis),
    objectList: attribute(
      2,
      arrayOf(structure({ classId: longUnsigned, version: unsigned, logicalName: obis, accessRights: any })),
    ),
    associatedPartnersId: attribute(3, structure({ clientSap: integer, serverSap: longUnsigned })),
    applicationContextName: attribute(4, any),
    xDlmsContextInfo: attribute(5, any),
    authenticationMechanismName: attribute(6, any),
    secret: attribute(7, octets),
    associationStatus: attribute(8, enumerated),
    securitySetupReference: attribute(9, obis),
  },
  methods: {
    /** f(StoC); answers f(CtoS). */
    replyToHlsAuthentication: method(1, octets),
    changeHlsSecret: method(2, octets),
    addObject: method(3, any),
    removeObject: method(4, any),
  },
} as const satisfies InterfaceClass;
