import type { ActionResponseWithOptionalData } from "../action-response.ts";
import type { Data } from "../data.ts";
import { CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { AssociationSn } from "../objects/association-sn.ts";
import { type AssociationView, accessRights, array, nameData, octets, structure } from "./association-object.ts";
import { type CosemObject, dataResult } from "./cosem-object.ts";
import type { ShortNames } from "./short-names.ts";

/**
 * Association SN, class_id 12 version 2: attributes 2 object_list to 4 security_setup_reference, method 8
 * reply_to_HLS_authentication. `names`: of everything that the association sees, this object among it.
 */
export function associationSnObject(
  view: () => AssociationView,
  names: () => ShortNames,
  replyToHls: (parameters: Data | undefined) => ActionResponseWithOptionalData,
): CosemObject {
  const each = (made: (object: CosemObject, baseName: Data) => Data): Data =>
    array(Array.from(names().bases, ([object, base]) => made(object, { type: "long", value: (base << 16) >> 16 })));
  return {
    classId: AssociationSn.classId,
    version: 2,
    logicalName: CURRENT_ASSOCIATION,
    attributes: {
      2: {
        get: () =>
          dataResult(
            each(({ classId, version, logicalName }, baseName) =>
              structure(
                baseName,
                { type: "long-unsigned", value: classId },
                { type: "unsigned", value: version },
                nameData(logicalName),
              ),
            ),
          ),
      },
      3: {
        get: () =>
          dataResult(
            each((object, baseName) => {
              const { attributes, methods } = accessRights(object);
              return structure(baseName, attributes, methods);
            }),
          ),
      },
      4: {
        get: () => {
          const { securitySetup } = view();
          return dataResult(securitySetup === undefined ? octets(new Uint8Array(6)) : nameData(securitySetup));
        },
      },
    },
    methods: { [AssociationSn.methods.replyToHlsAuthentication.id]: replyToHls },
  };
}
