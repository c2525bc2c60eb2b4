import type { SecretVault } from "../shared/security/key-vault.ts";

/** A vault without cryptography, for tests of what lies around it: the blob is the context and the secret reversed. */
export const plainVault: SecretVault = {
  async seal(context, secret) {
    return new TextEncoder().encode(JSON.stringify([context, [...secret].reverse()]));
  },
  async open(context, blob) {
    const [sealedFor, octets] = JSON.parse(new TextDecoder().decode(blob)) as [unknown, number[]];
    if (JSON.stringify(sealedFor) !== JSON.stringify(context)) throw new Error("sealed for something else");
    return Uint8Array.from(octets.reverse());
  },
};
