import { type OpenedContent, openContent } from "../../shared/dlms/security/protection.ts";
import { securityControlOf } from "../../shared/dlms/security/security-control.ts";
import type { SecretKey } from "../../shared/ports/crypto.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";

/** What the caller knows; each is tried. */
export interface Secrets {
  /** Global encryption keys. */
  readonly keys: readonly SecretKey[];
  readonly authenticationKeys: readonly Uint8Array[];
  readonly dedicatedKeys: readonly SecretKey[];
  /** System titles, 8 octets. */
  readonly titles: readonly Uint8Array[];
}

export type Deciphered =
  | {
      readonly kind: "opened";
      readonly systemTitle: Uint8Array;
      /** False: encrypted only, there is no tag to verify. */
      readonly authenticated: boolean;
      readonly apdu: Uint8Array;
    }
  | { readonly kind: "closed"; readonly reason: string };

const NOTHING = new Uint8Array(0);

/**
 * Tries every key with every title. `plausible` decides for content that is encrypted but not authenticated, where no
 * tag tells whether the key was right.
 */
export function decipher(
  secrets: Secrets,
  scope: "global" | "dedicated",
  titles: readonly Uint8Array[],
  content: Uint8Array,
  plausible: (apdu: Uint8Array) => boolean,
): Deciphered {
  const closed = (reason: string): Deciphered => ({ kind: "closed", reason });
  const { suite, authenticated, encrypted, compressed } = securityControlOf(content[0] ?? 0);
  if (compressed) return closed("compressed content is not supported");
  if (suite > 2) return closed(`unknown security suite ${suite}`);
  if (!authenticated && !encrypted) return closed("neither authenticated nor encrypted: this must not be on the wire");
  const keys = scope === "global" ? secrets.keys : secrets.dedicatedKeys;
  if (keys.length === 0) return closed(`no ${scope === "global" ? "encryption" : "dedicated"} key given`);
  if (authenticated && secrets.authenticationKeys.length === 0) return closed("no authentication key given");
  if (titles.length === 0) return closed("no system title of the sender given");
  const authenticationKeys = authenticated ? secrets.authenticationKeys : [NOTHING];
  let last: OpenedContent | undefined;
  for (const systemTitle of titles)
    for (const encryption of keys)
      for (const authentication of authenticationKeys) {
        last = openContent(nodeCrypto, { encryption, authentication }, systemTitle, content);
        if (last.kind === "opened" && (authenticated || plausible(last.apdu)))
          return { kind: "opened", systemTitle, authenticated, apdu: last.apdu };
      }
  if (last?.kind === "refused" && last.because === "truncated") return closed("too short for its tag");
  return closed(
    authenticated ? "the tag verifies under none of the keys and titles given" : "no key given makes an APDU of it",
  );
}
