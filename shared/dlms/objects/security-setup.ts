import { interfaceClass } from "./interface-class.ts";
import { any, arrayOf, enumerated, enumeration, octets, structure } from "./shape.ts";

/** security_policy of version 0. In version 1 it is bits: see security/security-policy.ts. */
export const SECURITY_POLICY_V0 = {
  nothing: 0,
  "all-messages-authenticated": 1,
  "all-messages-encrypted": 2,
  "all-messages-authenticated-and-encrypted": 3,
} as const;
export const KEY_ID = {
  "global-unicast-encryption-key": 0,
  "global-broadcast-encryption-key": 1,
  "authentication-key": 2,
  "master-key": 3,
} as const;
export const CERTIFICATE_ENTITY = { server: 0, client: 1, "certification-authority": 2, other: 3 } as const;
export const CERTIFICATE_TYPE = { "digital-signature": 0, "key-agreement": 1, tls: 2, other: 3 } as const;

/** key_wrapped: see security/key-transfer.ts. */
const keyTransfer = arrayOf(structure({ keyId: enumeration(KEY_ID), keyWrapped: octets }));
const v0 = {
  securityPolicy: enumerated,
  securitySuite: enumerated,
  clientSystemTitle: octets,
  serverSystemTitle: octets,
};

/** Security setup, class_id 64, version 0. */
export const SecuritySetupV0 = interfaceClass(
  "Security setup",
  64,
  0,
  { ...v0, securityPolicy: enumeration(SECURITY_POLICY_V0) },
  { securityActivate: enumeration(SECURITY_POLICY_V0), globalKeyTransfer: keyTransfer },
);

/** Serial number, issuer and the rest as in the X.509 certificate. */
const certificateInfo = structure({
  certificateEntity: enumeration(CERTIFICATE_ENTITY),
  certificateType: enumeration(CERTIFICATE_TYPE),
  serialNumber: octets,
  issuer: octets,
  subject: octets,
  subjectAltName: octets,
});
/** By entity (0): entity, type, system title. By serial (1): serial number, issuer. */
const certificateIdentification = structure({
  certificateIdentificationType: enumeration({ "by-entity": 0, "by-serial": 1 }),
  certificateIdentificationOptions: any,
});

/** Security setup, class_id 64, version 1. */
export const SecuritySetup = interfaceClass(
  "Security setup",
  64,
  1,
  { ...v0, certificates: arrayOf(certificateInfo) },
  {
    securityActivate: enumerated,
    keyTransfer,
    keyAgreement: arrayOf(structure({ keyId: enumeration(KEY_ID), keyData: octets })),
    generateKeyPair: enumeration(CERTIFICATE_TYPE),
    /** Answers the request, PKCS #10 in DER. */
    generateCertificateRequest: enumeration(CERTIFICATE_TYPE),
    /** X.509 in DER. */
    importCertificate: octets,
    exportCertificate: certificateIdentification,
    removeCertificate: certificateIdentification,
  },
  0x30,
);
