import { type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { enumerated, octetString } from "./cosem-data.ts";

const AUTHENTICATED_AND_ENCRYPTED = 3;
const SUITE_0 = 0;

/** Security setup, class_id 64 version 0, to be read: policy, suite and both titles. Its methods are not offered. */
export const securitySetupObject = (clientSystemTitle: Uint8Array, serverSystemTitle: Uint8Array): CosemObject => ({
  classId: 64,
  version: 0,
  logicalName: "0.0.43.0.0.255",
  attributes: {
    2: { get: () => dataResult(enumerated(AUTHENTICATED_AND_ENCRYPTED)) },
    3: { get: () => dataResult(enumerated(SUITE_0)) },
    4: { get: () => dataResult(octetString(clientSystemTitle)) },
    5: { get: () => dataResult(octetString(serverSystemTitle)) },
  },
});
