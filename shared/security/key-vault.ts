import type { MeterId } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";

/** What a blob is bound to; compared again after every opening. */
export interface SealContext {
  readonly meterId: MeterId;
  readonly purpose: "meter-keys" | "transport-key";
  readonly version: number;
}

/** Seals and opens a meter's keys under branch keys under the deployment's KMS key. */
export interface KeyVault {
  seal(context: SealContext, keys: MeterKeys): Promise<Uint8Array>;
  /** Throws `HeadraceError("vault.context-mismatch", retry never)` when the blob was sealed for anything else. */
  open(context: SealContext, blob: Uint8Array): Promise<MeterKeys>;
}
