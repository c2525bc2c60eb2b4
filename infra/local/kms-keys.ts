import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StartupError } from "./startup-error.ts";

/** As the template says it: `SYMMETRIC_DEFAULT`, `HMAC_256`, `ECC_NIST_P256`, … */
export type KeySpec = string;

export interface KmsKey {
  readonly arn: string;
  readonly spec: KeySpec;
  readonly usage: string;
  /** Symmetric or HMAC material. */
  readonly secret?: Uint8Array;
  readonly pair?: KeyObject;
  readonly enabled: boolean;
}

const CURVES: Readonly<Record<string, string>> = {
  ECC_NIST_P256: "P-256",
  ECC_NIST_P384: "P-384",
  ECC_NIST_P521: "P-521",
};
const SECRET_OCTETS: Readonly<Record<string, number>> = {
  SYMMETRIC_DEFAULT: 32,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
};

export function newKey(arn: string, spec: KeySpec, usage: string): KmsKey {
  const octets = SECRET_OCTETS[spec];
  if (octets !== undefined) return { arn, spec, usage, secret: randomBytes(octets), enabled: true };
  const curve = CURVES[spec];
  if (curve === undefined)
    throw new StartupError(
      `KMS key ${arn}: KeySpec ${spec} is not stood up locally; known: ${[...Object.keys(SECRET_OCTETS), ...Object.keys(CURVES)].join(", ")}`,
    );
  return { arn, spec, usage, pair: generateKeyPairSync("ec", { namedCurve: curve }).privateKey, enabled: true };
}

/** Twelve octets of IV, the ciphertext, sixteen octets of tag: AES-256-GCM. */
export function sealOctets(key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(aad);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when the tag does not verify. */
export function openOctets(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < 28) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12), { authTagLength: 16 })
    .setAAD(aad)
    .setAuthTag(sealed.subarray(sealed.length - 16));
  const plaintext = decipher.update(sealed.subarray(12, sealed.length - 16));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    return undefined; // in GCM final() tells one thing: the tag is wrong
  }
}

interface StoredKey {
  readonly spec: KeySpec;
  readonly usage: string;
  readonly enabled: boolean;
  /** Material under the root key, base64; the ARN is its additional data. */
  readonly sealed: string;
}

/**
 * The keys of a deployment: in memory, or kept in a folder, each sealed under a root key of that folder. The root key
 * stands for KMS' own hardware: who copies the whole folder has the keys, who copies the tables alone has not.
 */
export class KmsKeyStore {
  readonly #keys = new Map<string, KmsKey>();
  readonly #file: string | undefined;
  readonly #root: Uint8Array;

  constructor(directory?: string) {
    this.#file = directory === undefined ? undefined : join(directory, "keys.json");
    this.#root = directory === undefined ? randomBytes(32) : rootKey(directory);
    if (this.#file === undefined || !existsSync(this.#file)) return;
    const stored = JSON.parse(readFileSync(this.#file, "utf8")) as Readonly<Record<string, StoredKey>>;
    for (const [arn, { sealed, ...rest }] of Object.entries(stored)) {
      const material = openOctets(this.#root, Buffer.from(arn), Buffer.from(sealed, "base64"));
      if (material === undefined)
        throw new StartupError(
          `${this.#file}: the key ${arn} was not sealed by this folder's root.key; bring back the root.key that belongs to the folder`,
        );
      const opened =
        rest.spec in CURVES
          ? { pair: createPrivateKey({ key: material, format: "der", type: "pkcs8" }) }
          : { secret: new Uint8Array(material) };
      this.#keys.set(arn, { arn, ...rest, ...opened });
    }
  }

  get(arn: string): KmsKey | undefined {
    return this.#keys.get(arn);
  }

  /** Makes the key unless it is there. */
  ensure(arn: string, spec: KeySpec, usage: string): void {
    if (!this.#keys.has(arn)) this.put(newKey(arn, spec, usage));
  }

  put(key: KmsKey): void {
    this.#keys.set(key.arn, key);
    if (this.#file === undefined) return;
    const stored = [...this.#keys.values()].map(({ arn, spec, usage, enabled, secret, pair }) => {
      const material = secret ?? pair?.export({ format: "der", type: "pkcs8" }) ?? new Uint8Array();
      const sealed = sealOctets(this.#root, Buffer.from(arn), material).toString("base64");
      return [arn, { spec, usage, enabled, sealed } satisfies StoredKey];
    });
    writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(stored), null, 1), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function rootKey(directory: string): Uint8Array {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "root.key");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600, flag: "wx" });
  const key = readFileSync(file);
  if (key.length !== 32) throw new StartupError(`${file}: expected 32 octets, found ${key.length}`);
  return key;
}
