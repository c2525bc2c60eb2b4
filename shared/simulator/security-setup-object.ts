import type { Data } from "../dlms/data.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { agreedKey, agreementData, KEY_ID, type KeyName, unwrappedKeys } from "../dlms/security/key-transfer.ts";
import { bitsOfPolicy, policyOfBits, policyOfEnum } from "../dlms/security/security-policy.ts";
import { POINT_OCTETS, SUITES } from "../dlms/security/security-suite.ts";
import { actionResult, type CosemMethod, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import { array, enumerated, octetString } from "./cosem-data.ts";
import type { MeterKeyring } from "./meter-keyring.ts";

export interface SecuritySetupParts {
  readonly logicalName: LogicalName;
  readonly version: 0 | 1;
  readonly clientSystemTitle: Uint8Array;
  readonly serverSystemTitle: Uint8Array;
  readonly crypto: Crypto;
  /** Ephemeral keys. */
  readonly random: Random;
  readonly keyring: MeterKeyring;
  /** Which keys this model lets be changed. */
  readonly keyTransfer: readonly KeyName[];
  readonly keyAgreement: readonly KeyName[];
  /** Told once keys were replaced; `unicast`: its counters begin anew. */
  readonly onRekeyed: (names: readonly KeyName[]) => void;
}

/** Version 0 knows one policy for both directions: the weaker of the two. */
function policyEnum(bits: number): number {
  const { request, response } = policyOfBits(bits);
  return (request.authenticated && response.authenticated ? 1 : 0) | (request.encrypted && response.encrypted ? 2 : 0);
}

/** security_activate: an enum of version 0, or the bits of version 1; only upwards. */
const activate =
  ({ version, keyring }: SecuritySetupParts): CosemMethod =>
  (parameters) => {
    if (parameters?.type !== "enum") return actionResult("type-unmatched");
    if (version === 0 && parameters.value > 3) return actionResult("other-reason");
    const policy = version === 0 ? policyOfEnum(parameters.value) : policyOfBits(parameters.value);
    return actionResult(keyring.strengthen(policy) ? "success" : "read-write-denied");
  };

/** key_transfer: new keys wrapped under the master key; all of them or none. */
const transfer =
  ({ crypto, keyring, keyTransfer, onRekeyed }: SecuritySetupParts): CosemMethod =>
  (parameters) => {
    const master = keyring.key("master");
    if (master === undefined) return actionResult("read-write-denied");
    if (parameters?.type !== "array") return actionResult("type-unmatched");
    const keys = unwrappedKeys(crypto, master, SUITES[keyring.suite].keyOctets, parameters);
    if (keys === undefined) return actionResult("other-reason");
    const names = [...keys.keys()];
    if (!names.every((name) => keyTransfer.includes(name))) return actionResult("read-write-denied");
    keyring.replace(keys);
    onRekeyed(names);
    return actionResult("success");
  };

/** The key that a contribution asks for; undefined: not one well-formed element. */
function nameIn(parameters: Data | undefined): KeyName | undefined {
  if (parameters?.type !== "array" || parameters.value.length !== 1) return undefined;
  const [element] = parameters.value;
  const id = element?.type === "structure" ? element.value[0] : undefined;
  if (id?.type !== "enum") return undefined;
  return (Object.keys(KEY_ID) as KeyName[]).find((name) => KEY_ID[name] === id.value);
}

/** key_agreement: both sides' signed ephemeral points give one key; answers the meter's own. */
const agreement =
  (parts: SecuritySetupParts): CosemMethod =>
  (parameters) => {
    const { crypto, random, keyring, keyAgreement, onRekeyed } = parts;
    const { curve } = SUITES[keyring.suite];
    const { ownSigning, peerSigning } = keyring.secrets;
    if (curve === undefined || ownSigning === undefined || peerSigning === undefined)
      return actionResult("read-write-denied");
    const name = nameIn(parameters);
    if (name === undefined) return actionResult("type-unmatched");
    if (!keyAgreement.includes(name)) return actionResult("read-write-denied");
    const ephemeral = crypto.privateKey(curve, random.octets(POINT_OCTETS[curve] / 2));
    if (ephemeral === undefined) return actionResult("temporary-failure");
    const side = { curve, ephemeral, ownSigning, peerSigning };
    const titles = { client: parts.clientSystemTitle, server: parts.serverSystemTitle };
    const key = agreedKey(crypto, side, titles, name, parameters);
    if (key === undefined) return actionResult("other-reason");
    keyring.replace(new Map([[name, key]]));
    onRekeyed([name]);
    return actionResult("success", agreementData(crypto, side, name));
  };

/**
 * import_certificate of the client, for signing or agreement: trusted when its subject names the client's system title
 * and its key is on the suite's curve. Chains are not looked at: a simulated meter has no root of its own.
 */
const importCertificate =
  ({ crypto, keyring, clientSystemTitle }: SecuritySetupParts): CosemMethod =>
  (parameters) => {
    if (parameters?.type !== "octet-string") return actionResult("type-unmatched");
    const certificate = crypto.certificate(parameters.value);
    if (certificate === undefined || certificate.curve !== SUITES[keyring.suite].curve)
      return actionResult("other-reason");
    if (certificate.commonName?.toLowerCase() !== toHex(clientSystemTitle)) return actionResult("read-write-denied");
    const use = certificate.keyUsage.includes("keyAgreement") ? "agreement" : "signing";
    keyring.trust(use, certificate.publicKey);
    return actionResult("success");
  };

/**
 * Security setup, class_id 64: 2 policy, 3 suite, 4 and 5 titles, 6 certificates (version 1: none is shown). Methods 1
 * security_activate, 2 key_transfer, and in version 1 3 key_agreement and 6 import_certificate. Generating key pairs and
 * certificate requests, exporting and removing certificates are not offered.
 */
export function securitySetupObject(parts: SecuritySetupParts): CosemObject {
  const { version, keyring } = parts;
  const policy = () => bitsOfPolicy(keyring.policy);
  return {
    classId: 64,
    version,
    logicalName: parts.logicalName,
    attributes: {
      2: { get: () => dataResult(enumerated(version === 0 ? policyEnum(policy()) : policy())) },
      3: { get: () => dataResult(enumerated(keyring.suite)) },
      4: { get: () => dataResult(octetString(parts.clientSystemTitle)) },
      5: { get: () => dataResult(octetString(parts.serverSystemTitle)) },
      ...(version === 1 && { 6: { get: () => dataResult(array()) } }),
    },
    methods: {
      1: activate(parts),
      2: transfer(parts),
      ...(version === 1 && { 3: agreement(parts), 6: importCertificate(parts) }),
    },
  };
}
