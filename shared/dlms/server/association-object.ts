import { assert } from "../../ports/errors.ts";
import { applicationContextOf, MECHANISM } from "../acse.ts";
import type { ActionResponseWithOptionalData } from "../action-response.ts";
import type { Referencing } from "../conformance.ts";
import type { SelectiveAccessDescriptor } from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import type { GetDataResult } from "../get-data-result.ts";
import { DLMS_VERSION } from "../initiate-request.ts";
import { type LogicalName, obisOctets } from "../logical-name.ts";
import { ASSOCIATION_STATUS, AssociationLn, CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { classesOf } from "../selective-access.ts";
import { type CosemObject, dataResult, refusedGet } from "./cosem-object.ts";

export interface AssociationView {
  readonly clientSap: number;
  readonly serverSap: number;
  readonly applicationContext: number;
  readonly mechanism: number;
  readonly conformance: number;
  readonly maxReceivePduSize: number;
  readonly maxSendPduSize: number;
  readonly status: keyof typeof ASSOCIATION_STATUS;
  readonly securitySetup: LogicalName | undefined;
}

/** Attribute access of versions 0 to 2. */
const ACCESS = { none: 0, read: 1, write: 2, readWrite: 3 } as const;

export const structure = (...value: Data[]): Data => ({ type: "structure", value });
export const array = (value: readonly Data[]): Data => ({ type: "array", value });
export const octets = (value: Uint8Array): Data => ({ type: "octet-string", value });
const integer = (value: number): Data => ({ type: "integer", value });
const longUnsigned = (value: number): Data => ({ type: "long-unsigned", value });
const enumerated = (value: number): Data => ({ type: "enum", value });

export function nameData(name: LogicalName): Data {
  const value = obisOctets(name);
  assert(value !== undefined, `${name} is an OBIS code`);
  return octets(value);
}

/** 2.16.756.5.8.`arc`.`id`, content octets. */
const identifier = (arc: number, id: number): Data => octets(Uint8Array.of(0x60, 0x85, 0x74, 0x05, 0x08, arc, id));

export function accessRights(object: CosemObject): { readonly attributes: Data; readonly methods: Data } {
  const attributes = Object.entries(object.attributes).map(([id, { get, set, selectors }]) =>
    structure(
      integer(Number(id)),
      enumerated(get ? (set ? ACCESS.readWrite : ACCESS.read) : set ? ACCESS.write : ACCESS.none),
      selectors === undefined ? { type: "null-data", value: null } : array(selectors.map(integer)),
    ),
  );
  const methods = Object.keys(object.methods ?? {}).map((id) => structure(integer(Number(id)), enumerated(1)));
  const first = structure(integer(1), enumerated(ACCESS.read), { type: "null-data", value: null });
  return { attributes: array([first, ...attributes]), methods: array(methods) };
}

const listed = (object: CosemObject): Data => {
  const { attributes, methods } = accessRights(object);
  return structure(
    longUnsigned(object.classId),
    { type: "unsigned", value: object.version },
    nameData(object.logicalName),
    structure(attributes, methods),
  );
};

/** Attribute 2 object_list: all of it, or by class. */
function objectList(objects: readonly CosemObject[], selection: SelectiveAccessDescriptor | undefined): GetDataResult {
  const classes = selection && classesOf(selection);
  if (selection !== undefined && classes === undefined) return refusedGet("type-unmatched");
  const wanted = classes === undefined ? objects : objects.filter(({ classId }) => classes.includes(classId));
  return dataResult(array(wanted.map(listed)));
}

const conformanceBits = (conformance: number): Data => ({
  type: "bit-string",
  value: { length: 24, octets: Uint8Array.of(conformance >>> 16, (conformance >>> 8) & 0xff, conformance & 0xff) },
});

/**
 * Association LN, class_id 15 version 1: attributes 2 object_list to 9 security_setup_reference, without 7 secret;
 * method 1 reply_to_HLS_authentication.
 */
export function associationObject(
  view: () => AssociationView,
  others: () => Iterable<CosemObject>,
  replyToHls: (parameters: Data | undefined) => ActionResponseWithOptionalData,
): CosemObject {
  const object: CosemObject = {
    classId: AssociationLn.classId,
    version: AssociationLn.version,
    logicalName: CURRENT_ASSOCIATION,
    attributes: {
      2: { get: (selection) => objectList([object, ...others()], selection), selectors: [2] },
      3: { get: () => dataResult(structure(integer((view().clientSap << 24) >> 24), longUnsigned(view().serverSap))) },
      4: { get: () => dataResult(identifier(1, view().applicationContext)) },
      5: {
        get: () => {
          const { conformance, maxReceivePduSize, maxSendPduSize } = view();
          return dataResult(
            structure(
              conformanceBits(conformance),
              longUnsigned(maxReceivePduSize),
              longUnsigned(maxSendPduSize),
              { type: "unsigned", value: DLMS_VERSION },
              integer(0),
              octets(new Uint8Array(0)),
            ),
          );
        },
      },
      6: { get: () => dataResult(identifier(2, view().mechanism)) },
      7: {},
      8: { get: () => dataResult(enumerated(ASSOCIATION_STATUS[view().status])) },
      9: {
        get: () => {
          const { securitySetup } = view();
          return dataResult(securitySetup === undefined ? octets(new Uint8Array(6)) : nameData(securitySetup));
        },
      },
    },
    methods: { [AssociationLn.methods.replyToHlsAuthentication.id]: replyToHls },
  };
  return object;
}

export const contextOf = (ciphered: boolean, referencing: Referencing = "logical-name"): number =>
  applicationContextOf(referencing, ciphered);

export const MECHANISM_OF = {
  none: MECHANISM["lowest-level-security"],
  lls: MECHANISM["low-level-security"],
  "hls-manufacturer": MECHANISM["high-level-security"],
  "hls-md5": MECHANISM["high-level-security-md5"],
  "hls-sha1": MECHANISM["high-level-security-sha1"],
  "hls-gmac": MECHANISM["high-level-security-gmac"],
  "hls-sha256": MECHANISM["high-level-security-sha256"],
  "hls-ecdsa": MECHANISM["high-level-security-ecdsa"],
} as const;
