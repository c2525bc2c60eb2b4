import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DecryptCommand,
  DisableKeyCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  KMSClient,
  ReEncryptCommand,
  SignCommand,
  VerifyMacCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kms } from "./kms.ts";
import { KmsKeyStore } from "./kms-keys.ts";
import { Permissions } from "./permissions.ts";
import { StartupError } from "./startup-error.ts";

const key = (id: string) => `arn:aws:kms:eu-central-1:000000000000:key/${id}`;
const permissions = new Permissions();
permissions.grant("admin", { Statement: { Effect: "Allow", Action: "kms:*", Resource: key("*") } });
permissions.grant("reader", {
  Statement: {
    Effect: "Allow",
    Action: "kms:Decrypt",
    Resource: key("root"),
    Condition: { StringEquals: { "kms:EncryptionContext:purpose": "meter-keys" } },
  },
});

describe("KMS", () => {
  const kms = new Kms(permissions, new KmsKeyStore());
  let endpoint: string;
  const client = (role: string): KMSClient => {
    const { id, secret } = permissions.accessKey("test-function", role);
    const credentials = { accessKeyId: id, secretAccessKey: secret };
    return new KMSClient({ region: "eu-central-1", endpoint, credentials, maxAttempts: 1 });
  };

  beforeAll(async () => {
    kms.keys.ensure(key("root"), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    kms.keys.ensure(key("sign"), "ECC_NIST_P384", "SIGN_VERIFY");
    kms.keys.ensure(key("mac"), "HMAC_256", "GENERATE_VERIFY_MAC");
    endpoint = (await kms.start()).url;
  });
  afterAll(() => kms.close());

  const dataKey = (EncryptionContext: Record<string, string>) =>
    client("admin").send(new GenerateDataKeyCommand({ KeyId: key("root"), KeySpec: "AES_256", EncryptionContext }));

  it("opens what it sealed, in any order of the context, and nothing under another context", async () => {
    const { CiphertextBlob, Plaintext } = await dataKey({ meter: "m-1", purpose: "meter-keys" });
    const open = (EncryptionContext: Record<string, string>) =>
      client("admin").send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect((await open({ purpose: "meter-keys", meter: "m-1" })).Plaintext).toEqual(Plaintext);
    await expect(open({ purpose: "meter-keys", meter: "m-2" })).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
  });

  it("re-encrypts to another context", async () => {
    const { CiphertextBlob, Plaintext } = await dataKey({ version: "1" });
    const again = await client("admin").send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: { version: "1" },
        DestinationKeyId: key("root"),
        DestinationEncryptionContext: { version: "2" },
      }),
    );
    const opened = await client("admin").send(
      new DecryptCommand({ CiphertextBlob: again.CiphertextBlob, EncryptionContext: { version: "2" } }),
    );
    expect(opened.Plaintext).toEqual(Plaintext);
  });

  it("denies a role without a grant, and one whose condition on the context does not hold", async () => {
    const { CiphertextBlob } = await dataKey({ purpose: "transport-key" });
    const open = new DecryptCommand({ CiphertextBlob, EncryptionContext: { purpose: "transport-key" } });
    await expect(client("reader").send(open)).rejects.toThrow(
      `not authorized to perform: kms:Decrypt on resource: ${key("root")}`,
    );
    await expect(client("nobody").send(open)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  it("signs so that the public key verifies, and makes MACs", async () => {
    const Message = Buffer.from("root of the audit chain");
    const signed = await client("admin").send(
      new SignCommand({ KeyId: key("sign"), Message, MessageType: "RAW", SigningAlgorithm: "ECDSA_SHA_384" }),
    );
    const { PublicKey } = await client("admin").send(new GetPublicKeyCommand({ KeyId: key("sign") }));
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
    expect(verify("sha384", Message, publicKey, signed.Signature ?? new Uint8Array())).toBe(true);
    const mac = { KeyId: key("mac"), Message, MacAlgorithm: "HMAC_SHA_256" } as const;
    const { Mac } = await client("admin").send(new GenerateMacCommand(mac));
    expect((await client("admin").send(new VerifyMacCommand({ ...mac, Mac }))).MacValid).toBe(true);
    const wrong = client("admin").send(new VerifyMacCommand({ ...mac, Mac: new Uint8Array(32) }));
    await expect(wrong).rejects.toMatchObject({ name: "KMSInvalidMacException" });
  });

  it("does nothing with a disabled key", async () => {
    kms.keys.ensure(key("old"), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    await client("admin").send(new DisableKeyCommand({ KeyId: key("old") }));
    await expect(
      client("admin").send(new GenerateDataKeyCommand({ KeyId: key("old"), KeySpec: "AES_256" })),
    ).rejects.toMatchObject({ name: "DisabledException" });
  });
});

describe("the keys in a data folder", () => {
  const directory = mkdtempSync(join(tmpdir(), "headrace-kms-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  it("are the same in the next run, lie sealed, and need their own root key", () => {
    const first = new KmsKeyStore(directory);
    first.ensure(key("root"), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    first.ensure(key("sign"), "ECC_NIST_P256", "SIGN_VERIFY");
    const secret = Buffer.from(first.get(key("root"))?.secret ?? []);
    expect(new KmsKeyStore(directory).get(key("root"))?.secret).toEqual(new Uint8Array(secret));
    const stored = readFileSync(join(directory, "keys.json"));
    for (const form of [secret, secret.toString("hex"), secret.toString("base64")])
      expect(stored.includes(form)).toBe(false);
    writeFileSync(join(directory, "root.key"), Buffer.alloc(32));
    expect(() => new KmsKeyStore(directory)).toThrow(StartupError);
  });
});
