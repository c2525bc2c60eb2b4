import type { MeterId } from "../metering/meter.ts";
import { MeterKeys } from "../metering/meter-keys.ts";

/** What a blob is bound to; compared again after every opening. */
export interface SealContext {
  readonly meterId: MeterId;
  readonly purpose: "meter-keys" | "transport-key" | "pipe-secret" | "group-key" | "client-secret" | "webhook-secret";
  readonly version: number;
}

/** Seals and opens a meter's keys under branch keys under the deployment's KMS key. */
export interface KeyVault {
  seal(context: SealContext, keys: MeterKeys): Promise<Uint8Array>;
  /** Throws `HeadraceError("vault.context-mismatch", retry never)` when the blob was sealed for anything else. */
  open(context: SealContext, blob: Uint8Array): Promise<MeterKeys>;
}

/** As `SealContext`, for any secret: `subject` is a meter id or the name of the key. */
export interface SecretContext {
  readonly subject: string;
  readonly purpose: SealContext["purpose"];
  readonly version: number;
}

/** Seals and opens octets; the same rules as `KeyVault`, whose work it does. */
export interface SecretVault {
  seal(context: SecretContext, secret: Uint8Array): Promise<Uint8Array>;
  /** The caller overwrites what it got as soon as it is used. */
  open(context: SecretContext, blob: Uint8Array): Promise<Uint8Array>;
}

/** A meter's keys as one blob: their JSON, sealed. */
export function keyVault(vault: SecretVault): KeyVault {
  const contextOf = ({ meterId, purpose, version }: SealContext): SecretContext => ({
    subject: meterId,
    purpose,
    version,
  });
  return {
    async seal(context, keys) {
      const plaintext = new TextEncoder().encode(JSON.stringify(keys));
      try {
        return await vault.seal(contextOf(context), plaintext);
      } finally {
        plaintext.fill(0);
      }
    },
    async open(context, blob) {
      const plaintext = await vault.open(contextOf(context), blob);
      try {
        return MeterKeys.parse(JSON.parse(new TextDecoder().decode(plaintext)));
      } finally {
        plaintext.fill(0);
      }
    },
  };
}
