import {
  createHmac,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { type AwsCall, AwsError, authorise, jsonService, type LocalServer, listen } from "./aws-endpoint.ts";
import { type KmsKey, type KmsKeyStore, openOctets, sealOctets } from "./kms-keys.ts";
import type { Permissions, Principal } from "./permissions.ts";

type EncryptionContext = Readonly<Record<string, string>>;

interface Opened {
  readonly key: KmsKey;
  readonly plaintext: Buffer;
}

const octets = (value: unknown): Buffer => Buffer.from(String(value ?? ""), "base64");
const contextOf = (value: unknown): EncryptionContext => (value ?? {}) as EncryptionContext;

/** The context is additional data; its pairs in one order, so that the caller's order does not matter. */
const aadOf = (context: EncryptionContext): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([left], [right]) => (left < right ? -1 : 1))));

/** KMS on node:crypto: what the product and the key-store library call, with KMS' own exceptions. */
export class Kms {
  readonly keys: KmsKeyStore;
  readonly #permissions: Permissions;
  #server: LocalServer | undefined;

  constructor(permissions: Permissions, keys: KmsKeyStore) {
    this.#permissions = permissions;
    this.keys = keys;
  }

  async start(): Promise<LocalServer> {
    this.#server = await listen(
      jsonService(this.#permissions, async (call) => {
        const operation = this.#operations[call.operation];
        if (operation === undefined)
          throw new AwsError("UnknownOperationException", `KMS ${call.operation} is not stood up (infra/local/kms.ts)`);
        return operation(call);
      }),
    );
    return this.#server;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  readonly #operations: Readonly<Record<string, (call: AwsCall) => object>> = {
    Encrypt: ({ principal, body }) => {
      const context = contextOf(body.EncryptionContext);
      const key = this.#allowed(principal, "Encrypt", body.KeyId, context);
      return { CiphertextBlob: this.#seal(key, context, octets(body.Plaintext)), KeyId: key.arn };
    },
    Decrypt: ({ principal, body }) => {
      const { key, plaintext } = this.#open(
        principal,
        "Decrypt",
        body.CiphertextBlob,
        body.EncryptionContext,
        body.KeyId,
      );
      return { Plaintext: plaintext.toString("base64"), KeyId: key.arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    },
    ReEncrypt: ({ principal, body }) => {
      const { SourceEncryptionContext, SourceKeyId, DestinationKeyId } = body;
      const source = this.#open(principal, "ReEncryptFrom", body.CiphertextBlob, SourceEncryptionContext, SourceKeyId);
      const context = contextOf(body.DestinationEncryptionContext);
      const key = this.#allowed(principal, "ReEncryptTo", DestinationKeyId, context);
      return {
        CiphertextBlob: this.#seal(key, context, source.plaintext),
        SourceKeyId: source.key.arn,
        KeyId: key.arn,
      };
    },
    GenerateDataKey: (call) => {
      const { plaintext, ...answer } = this.#dataKey(call, "GenerateDataKey");
      return { ...answer, Plaintext: plaintext.toString("base64") };
    },
    GenerateDataKeyWithoutPlaintext: (call) => {
      const { plaintext: _, ...answer } = this.#dataKey(call, "GenerateDataKeyWithoutPlaintext");
      return answer;
    },
    DescribeKey: ({ principal, body }) => {
      const key = this.#allowed(principal, "DescribeKey", body.KeyId, {}, false);
      const KeyState = key.enabled ? "Enabled" : "Disabled";
      return { KeyMetadata: { KeyId: idOf(key), Arn: key.arn, KeySpec: key.spec, KeyUsage: key.usage, KeyState } };
    },
    DisableKey: ({ principal, body }) => this.#enable(principal, "DisableKey", body.KeyId, false),
    EnableKey: ({ principal, body }) => this.#enable(principal, "EnableKey", body.KeyId, true),
    GetPublicKey: ({ principal, body }) => {
      const key = this.#allowed(principal, "GetPublicKey", body.KeyId);
      const PublicKey = createPublicKey(pairOf(key)).export({ format: "der", type: "spki" }).toString("base64");
      return { KeyId: key.arn, PublicKey, KeySpec: key.spec, KeyUsage: key.usage };
    },
    Sign: ({ principal, body }) => {
      const key = this.#allowed(principal, "Sign", body.KeyId);
      const Signature = sign(digestOf(body), octets(body.Message), pairOf(key)).toString("base64");
      return { KeyId: key.arn, Signature, SigningAlgorithm: body.SigningAlgorithm };
    },
    Verify: ({ principal, body }) => {
      const key = this.#allowed(principal, "Verify", body.KeyId);
      const holds = verify(digestOf(body), octets(body.Message), createPublicKey(pairOf(key)), octets(body.Signature));
      if (!holds) throw new AwsError("KMSInvalidSignatureException", "The signature does not verify");
      return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: body.SigningAlgorithm };
    },
    DeriveSharedSecret: ({ principal, body }) => {
      const key = this.#allowed(principal, "DeriveSharedSecret", body.KeyId);
      const publicKey = createPublicKey({ key: octets(body.PublicKey), format: "der", type: "spki" });
      const secret = diffieHellman({ privateKey: pairOf(key), publicKey });
      return { KeyId: key.arn, SharedSecret: secret.toString("base64"), KeyAgreementAlgorithm: "ECDH" };
    },
    GenerateMac: ({ principal, body }) => {
      const key = this.#allowed(principal, "GenerateMac", body.KeyId);
      return { KeyId: key.arn, Mac: macOf(key, body).toString("base64"), MacAlgorithm: body.MacAlgorithm };
    },
    VerifyMac: ({ principal, body }) => {
      const key = this.#allowed(principal, "VerifyMac", body.KeyId);
      const expected = macOf(key, body);
      const given = octets(body.Mac);
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new AwsError("KMSInvalidMacException", "The MAC does not verify");
      return { KeyId: key.arn, MacValid: true, MacAlgorithm: body.MacAlgorithm };
    },
  };

  #dataKey({ principal, body }: AwsCall, action: string) {
    const context = contextOf(body.EncryptionContext);
    const key = this.#allowed(principal, action, body.KeyId, context);
    const plaintext = randomBytes(Number(body.NumberOfBytes ?? (body.KeySpec === "AES_128" ? 16 : 32)));
    return { CiphertextBlob: this.#seal(key, context, plaintext), KeyId: key.arn, plaintext };
  }

  #enable(principal: Principal, action: string, keyId: unknown, enabled: boolean): object {
    const key = this.#allowed(principal, action, keyId, {}, false);
    this.keys.put({ ...key, enabled });
    return {};
  }

  #allowed(principal: Principal, action: string, keyId: unknown, context: EncryptionContext = {}, used = true): KmsKey {
    const key = this.keys.get(String(keyId));
    if (key === undefined) throw new AwsError("NotFoundException", `Key '${String(keyId)}' does not exist`);
    const conditions = Object.fromEntries(
      Object.entries(context).map(([name, value]) => [`kms:encryptioncontext:${name.toLowerCase()}`, [value]]),
    );
    authorise(this.#permissions, principal, `kms:${action}`, key.arn, conditions);
    if (used && !key.enabled) throw new AwsError("DisabledException", `${key.arn} is disabled.`);
    return key;
  }

  #seal(key: KmsKey, context: EncryptionContext, plaintext: Uint8Array): string {
    const arn = Buffer.from(key.arn);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(arn.length);
    return Buffer.concat([length, arn, sealOctets(secretOf(key), aadOf(context), plaintext)]).toString("base64");
  }

  /** The blob names its key, as KMS' do; a key id in the request must be the same. */
  #open(principal: Principal, action: string, blob: unknown, given: unknown, keyId: unknown): Opened {
    const sealed = octets(blob);
    const context = contextOf(given);
    const length = sealed.length < 2 ? 0 : sealed.readUInt16BE(0);
    const key = this.keys.get(sealed.subarray(2, 2 + length).toString());
    if (key === undefined)
      throw new AwsError("InvalidCiphertextException", "The ciphertext names no key of this account");
    if (keyId !== undefined && keyId !== key.arn)
      throw new AwsError(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this",
      );
    this.#allowed(principal, action, key.arn, context);
    const plaintext = openOctets(secretOf(key), aadOf(context), sealed.subarray(2 + length));
    if (plaintext === undefined)
      throw new AwsError(
        "InvalidCiphertextException",
        "The ciphertext or its encryption context is not what was sealed",
      );
    return { key, plaintext };
  }
}

const idOf = (key: KmsKey): string => key.arn.split("/").at(-1) ?? key.arn;

function secretOf(key: KmsKey): Uint8Array {
  if (key.secret === undefined) throw new AwsError("InvalidKeyUsageException", `${key.arn} is a ${key.spec} key`);
  return key.secret;
}

function pairOf(key: KmsKey): KeyObject {
  if (key.pair === undefined) throw new AwsError("InvalidKeyUsageException", `${key.arn} is a ${key.spec} key`);
  return key.pair;
}

/** node:crypto hashes what it signs, so only whole messages can be signed here. */
function digestOf(body: AwsCall["body"]): string {
  if (body.MessageType === "DIGEST")
    throw new AwsError(
      "ValidationException",
      "MessageType DIGEST cannot be stood up on node:crypto: sign RAW messages",
    );
  const algorithm = /SHA_(\d+)$/.exec(String(body.SigningAlgorithm))?.[1];
  if (algorithm === undefined)
    throw new AwsError("ValidationException", `SigningAlgorithm ${String(body.SigningAlgorithm)}`);
  if (octets(body.Message).length > 4096)
    throw new AwsError("ValidationException", "Message has more than 4096 octets");
  return `sha${algorithm}`;
}

const macOf = (key: KmsKey, body: AwsCall["body"]): Buffer =>
  createHmac(`sha${String(body.MacAlgorithm).split("_").at(-1)}`, secretOf(key))
    .update(octets(body.Message))
    .digest();
