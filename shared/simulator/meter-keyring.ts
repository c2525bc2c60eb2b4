import type { CipheringSecrets } from "../dlms/security/general-ciphering.ts";
import type { KeyName } from "../dlms/security/key-transfer.ts";
import type { CipherKeys } from "../dlms/security/protection.ts";
import {
  AUTHENTICATED_AND_ENCRYPTED,
  bitsOfPolicy,
  policyOfBits,
  type SecurityPolicy,
} from "../dlms/security/security-policy.ts";
import { type SecuritySuite, SUITES } from "../dlms/security/security-suite.ts";
import type { Crypto, PrivateKey } from "../ports/crypto.ts";
import { assert } from "../ports/errors.ts";
import { fromHex, toHex } from "../ports/octets.ts";
import { type HeldKeys, pointOf } from "./simulated-keys.ts";

/** What a meter keeps of its keys when somebody changed them. Hex. */
export interface KeptKeys {
  readonly replaced: Readonly<Partial<Record<KeyName, string>>>;
  /** security_policy as bits, version 1; absent: never activated. */
  readonly policy?: number;
  /** The client's points, where certificates replaced them. */
  readonly clientSigningPoint?: string;
  readonly clientAgreementPoint?: string;
}
export const NO_KEYS_REPLACED: KeptKeys = { replaced: {} };

const OF_ENROLMENT: Readonly<Record<KeyName, keyof HeldKeys | undefined>> = {
  unicast: "unicast",
  broadcast: undefined,
  authentication: "authentication",
  master: "master",
};

/** The keys that a meter holds now. New ones come into force with the next association. */
export class MeterKeyring {
  readonly suite: SecuritySuite;
  readonly #crypto: Crypto;
  readonly #held: HeldKeys;
  readonly #defaultPolicy: SecurityPolicy;
  readonly #changed: () => void;
  #kept: KeptKeys;

  constructor(
    crypto: Crypto,
    suite: SecuritySuite,
    held: HeldKeys,
    options: { readonly policy?: number; readonly kept?: KeptKeys; readonly changed?: () => void } = {},
  ) {
    this.#crypto = crypto;
    this.suite = suite;
    this.#held = held;
    this.#defaultPolicy = options.policy === undefined ? AUTHENTICATED_AND_ENCRYPTED : policyOfBits(options.policy);
    this.#kept = options.kept ?? NO_KEYS_REPLACED;
    this.#changed = options.changed ?? (() => undefined);
  }

  get kept(): KeptKeys {
    return this.#kept;
  }
  get policy(): SecurityPolicy {
    return this.#kept.policy === undefined ? this.#defaultPolicy : policyOfBits(this.#kept.policy);
  }

  /** Undefined: it has no such key. */
  key(name: KeyName): Uint8Array | undefined {
    const enrolled = OF_ENROLMENT[name];
    const hex = this.#kept.replaced[name] ?? (enrolled && this.#held[enrolled]);
    return hex === undefined ? undefined : fromHex(hex);
  }

  get cipherKeys(): CipherKeys {
    const [unicast, authentication] = [this.key("unicast"), this.key("authentication")];
    assert(unicast !== undefined && authentication !== undefined, "a meter that ciphers has keys");
    return { encryption: this.#crypto.secretKey(unicast), authentication };
  }

  get secrets(): Omit<CipheringSecrets, "global" | "curve"> {
    const { curve } = SUITES[this.suite];
    const master = this.key("master");
    if (curve === undefined) return master === undefined ? {} : { masterKey: master };
    const { meterSigningKey, meterAgreementKey, clientSigning, clientAgreement } = this.#held;
    const own = (hex: string | undefined): PrivateKey | undefined =>
      hex === undefined ? undefined : this.#crypto.privateKey(curve, fromHex(hex));
    const peer = (kept: string | undefined, scalar: string | undefined): Uint8Array | undefined => {
      const hex = kept ?? (scalar === undefined ? undefined : pointOf(this.#crypto, curve, scalar));
      return hex === undefined ? undefined : fromHex(hex);
    };
    const found = {
      masterKey: master,
      ownSigning: own(meterSigningKey),
      ownAgreement: own(meterAgreementKey),
      peerSigning: peer(this.#kept.clientSigningPoint, clientSigning),
      peerAgreement: peer(this.#kept.clientAgreementPoint, clientAgreement),
    };
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  }

  replace(keys: ReadonlyMap<KeyName, Uint8Array>): void {
    const replaced = { ...this.#kept.replaced };
    for (const [name, key] of keys) replaced[name] = toHex(key);
    this.#kept = { ...this.#kept, replaced };
    this.#changed();
  }

  /** Only upwards: false when it would demand less than now. */
  strengthen(policy: SecurityPolicy): boolean {
    const [now, then] = [bitsOfPolicy(this.policy), bitsOfPolicy(policy)];
    if ((now & ~then) !== 0) return false;
    this.#kept = { ...this.#kept, policy: then };
    this.#changed();
    return true;
  }

  trust(use: "signing" | "agreement", point: Uint8Array): void {
    const name = use === "signing" ? "clientSigningPoint" : "clientAgreementPoint";
    this.#kept = { ...this.#kept, [name]: toHex(point) };
    this.#changed();
  }
}
