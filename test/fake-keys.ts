import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";

/** KMS and the key store's table in memory: AES-GCM with the encryption context as additional data. */
const rootKey = randomBytes(32);
type Context = Readonly<Record<string, string>>;
const additional = (context: Context): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([left], [right]) => (left < right ? -1 : 1))));

function wrap(plaintext: Uint8Array, context: Context): Uint8Array {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", rootKey, iv).setAAD(additional(context));
  return new Uint8Array(Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

function unwrap(blob: Uint8Array, context: Context): Uint8Array {
  const decipher = createDecipheriv("aes-256-gcm", rootKey, blob.subarray(0, 12)).setAAD(additional(context));
  decipher.setAuthTag(blob.subarray(-16));
  return new Uint8Array(Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]));
}

interface Sent {
  readonly constructor: { readonly name: string };
  readonly input: unknown;
}
interface KmsInput {
  readonly EncryptionContext: Context;
  readonly SourceEncryptionContext: Context;
  readonly DestinationEncryptionContext: Context;
  readonly CiphertextBlob: Uint8Array;
}

export function fakeKeys() {
  const calls = { decrypt: 0, all: 0 };
  const state = { down: false };
  const kms = new KMSClient({ region: "eu-west-1" });
  const send = async ({ constructor: { name }, input }: Sent) => {
    calls.all++;
    if (state.down) throw Object.assign(new Error("KMS is down"), { name: "KMSInternalException" });
    await new Promise((resolve) => setTimeout(resolve, 1));
    const given = input as KmsInput;
    switch (name) {
      case "GenerateDataKeyWithoutPlaintextCommand":
        return { CiphertextBlob: wrap(randomBytes(32), given.EncryptionContext) };
      case "ReEncryptCommand":
        return {
          CiphertextBlob: wrap(
            unwrap(given.CiphertextBlob, given.SourceEncryptionContext),
            given.DestinationEncryptionContext,
          ),
        };
      case "DecryptCommand":
        calls.decrypt++;
        return { Plaintext: unwrap(given.CiphertextBlob, given.EncryptionContext) };
      default:
        throw new Error(`the fake KMS does not know ${name}`);
    }
  };
  Object.assign(kms, { send });

  type Item = Readonly<Record<string, { readonly S?: string }>>;
  const rows = new Map<string, Item>();
  const keyOf = (item: Item): string => `${item["branch-key-id"]?.S}/${item.type?.S}`;
  const dynamo = new DynamoDBClient({ region: "eu-west-1" });
  const sendToTable = async ({ constructor: { name }, input }: Sent) => {
    if (name === "GetItemCommand") return { Item: rows.get(keyOf((input as { Key: Item }).Key)) };
    if (name !== "TransactWriteItemsCommand") throw new Error(`the fake table does not know ${name}`);
    const puts = (input as { TransactItems: readonly { Put: { Item: Item } }[] }).TransactItems.map(
      ({ Put }) => Put.Item,
    );
    for (const item of puts) rows.set(keyOf(item), item);
    return {};
  };
  Object.assign(dynamo, { send: sendToTable });
  return { kms, dynamo, calls, state, rows };
}
