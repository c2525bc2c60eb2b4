import { interfaceClass } from "./interface-class.ts";
import { captureObject } from "./profile-generic.ts";
import { any, arrayOf, enumerated, enumeration, integer, longUnsigned, obis, octets, structure } from "./shape.ts";

/** restriction_value: null-data, {from_date, to_date} or {from_entry, to_entry}. */
export const restrictionElement = structure({
  restrictionType: enumeration({ none: 0, "by-date": 1, "by-entry": 2 }),
  restrictionValue: any,
});
/** A capture object, and which part of it when it is the buffer of a profile. */
export const restrictedObject = structure({
  classId: longUnsigned,
  logicalName: obis,
  attributeIndex: integer,
  dataIndex: longUnsigned,
  restriction: restrictionElement,
});
/** The same, with the profile's columns; none: all. */
export const restrictedColumns = structure({
  classId: longUnsigned,
  logicalName: obis,
  attributeIndex: integer,
  dataIndex: longUnsigned,
  restriction: restrictionElement,
  columns: arrayOf(captureObject),
});

/** key_info_options: {key_id}, {kek_id, key_ciphered_data} or {key_parameters, key_ciphered_data}. */
export const protectionParameters = structure({
  protectionType: enumeration({
    authentication: 0,
    encryption: 1,
    "authentication-and-encryption": 2,
    "digital-signature": 3,
  }),
  protectionOptions: structure({
    transactionId: octets,
    originatorSystemTitle: octets,
    recipientSystemTitle: octets,
    otherInformation: octets,
    keyInfo: structure({
      keyInfoType: enumeration({ "identified-key": 0, "wrapped-key": 1, "agreed-key": 2 }),
      keyInfoOptions: any,
    }),
  }),
});

/** Data protection, class_id 30, version 0: attributes and methods under a protection of their own. */
export const DataProtection = interfaceClass(
  "Data protection",
  30,
  0,
  {
    protectionBuffer: octets,
    protectionObjectList: arrayOf(restrictedObject),
    protectionParametersGet: arrayOf(protectionParameters),
    protectionParametersSet: arrayOf(protectionParameters),
    /** Bits, as in the access modes of Association LN version 3. */
    requiredProtection: enumerated,
  },
  { getProtectedAttributes: any, setProtectedAttributes: any, invokeProtectedMethod: any },
);
