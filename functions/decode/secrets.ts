import { type OpenedContent, openContent, TAG_OCTETS } from "../../shared/dlms/security/protection.ts";
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
const ENCRYPTED_ONLY = 0x20;

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

/**
 * The same for General-Ciphering: each key is tried as the one that its key-info gives. What authenticates the header is
 * unverified (docs/standards.md), so content that makes an APDU is shown where its tag does not verify, and says so.
 */
export function decipherGeneral(
  secrets: Secrets,
  originator: Uint8Array,
  content: Uint8Array,
  extraAad: Uint8Array,
  plausible: (apdu: Uint8Array) => boolean,
): Deciphered {
  const closed = (reason: string): Deciphered => ({ kind: "closed", reason });
  const { suite, authenticated, encrypted, compressed } = securityControlOf(content[0] ?? 0);
  if (compressed) return closed("compressed content is not supported");
  if (suite > 2) return closed(`unknown security suite ${suite}`);
  if (!authenticated && !encrypted) return closed("neither authenticated nor encrypted: this must not be on the wire");
  if (originator.length !== 8) return closed("the originator's title has no 8 octets");
  if (secrets.keys.length === 0) return closed("no key given: give the one that the key-info leads to");
  const opened = (apdu: Uint8Array, verified: boolean): Deciphered => ({
    kind: "opened",
    systemTitle: originator,
    authenticated: verified,
    apdu,
  });
  for (const encryption of secrets.keys)
    for (const authentication of authenticated ? secrets.authenticationKeys : [NOTHING]) {
      const found = openContent(nodeCrypto, { encryption, authentication }, originator, content, extraAad);
      if (found.kind === "opened" && (authenticated || plausible(found.apdu))) return opened(found.apdu, authenticated);
    }
  if (encrypted && authenticated)
    for (const encryption of secrets.keys) {
      const bare = content.slice(0, Math.max(0, content.length - TAG_OCTETS));
      bare[0] = ENCRYPTED_ONLY | suite;
      const found = openContent(nodeCrypto, { encryption, authentication: NOTHING }, originator, bare);
      if (found.kind === "opened" && plausible(found.apdu)) return opened(found.apdu, false);
    }
  return closed("no key given makes an APDU of it");
}
