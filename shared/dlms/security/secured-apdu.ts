import type { Crypto, PrivateKey } from "../../ports/crypto.ts";
import { equalOctets } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { protectApdu, protectedApdu } from "./apdu-protection.ts";
import { type CipheringHeader, GeneralSigning, type KeyScope } from "./ciphered-apdu.ts";
import {
  type CipheringKey,
  type CipheringSecrets,
  type GeneralRefusal,
  openGeneral,
  sealGeneral,
} from "./general-ciphering.ts";
import { signApdu, signedOctets } from "./general-signing.ts";
import { type CipherKeys, openContent } from "./protection.ts";
import { securityControlOf } from "./security-control.ts";
import { controlOf, type MessageProtection } from "./security-policy.ts";
import type { SecuritySuite } from "./security-suite.ts";

/** What one side of an association protects and opens with. */
export interface SecuritySide {
  readonly crypto: Crypto;
  readonly suite: SecuritySuite;
  readonly ownTitle: Uint8Array;
  readonly peerTitle: Uint8Array;
  readonly secrets: CipheringSecrets;
  readonly dedicated: CipherKeys | undefined;
}

export type DressForm = "clear" | "service-specific" | "general" | "general-ciphering";

/** The dress of a protected APDU: an answer wears that of its request. */
export interface Dress {
  readonly form: DressForm;
  readonly scope: KeyScope;
  /** How General-Ciphering has its key. */
  readonly key?: CipheringKey["kind"];
  readonly signed?: boolean;
  /** Of General-Ciphering and General-Signing; an answer repeats it. */
  readonly transactionId?: Uint8Array;
}

export type SecuredRefusal = GeneralRefusal | "clear" | "tag-mismatch";
export type OpenedApdu =
  | {
      readonly kind: "opened";
      readonly apdu: Uint8Array;
      readonly dress: Dress;
      /** 0: neither authenticated nor encrypted, a signature alone. */
      readonly securityControl: number;
      /** Undefined: no key of this APDU outlives it, so the transaction id alone tells it from a repetition. */
      readonly invocationCounter: number | undefined;
    }
  | { readonly kind: "refused"; readonly because: SecuredRefusal; readonly title?: Uint8Array };

const NOTHING = new Uint8Array(0);
const GENERAL_CIPHERING = 0xdd;
const GENERAL_SIGNING = 0xdf;

const refused = (because: SecuredRefusal, title?: Uint8Array): OpenedApdu => ({
  kind: "refused",
  because,
  ...(title && { title }),
});

/**
 * Opens whatever protects an APDU, the signature outside and the cipher inside. Proves who protected it and nothing of
 * its freshness. Throws `WireError` when malformed.
 */
export function openSecured(side: SecuritySide, octets: Uint8Array): OpenedApdu {
  if (octets[0] !== GENERAL_SIGNING) return openCiphered(side, octets);
  const { content, signature, ...header } = decode(GeneralSigning, octets);
  const { curve, peerSigning } = side.secrets;
  if (!equalOctets(header.originatorSystemTitle, side.peerTitle)) return refused("title", header.originatorSystemTitle);
  if (!equalOctets(header.recipientSystemTitle, side.ownTitle)) return refused("title", header.recipientSystemTitle);
  if (curve === undefined || peerSigning === undefined) return refused("unknown-key");
  if (!side.crypto.verify(curve, peerSigning, signedOctets(header, content), signature))
    return refused("bad-signature");
  const { transactionId } = header;
  const inner = openCiphered(side, content);
  if (inner.kind === "opened") return { ...inner, dress: { ...inner.dress, transactionId, signed: true } };
  if (inner.because !== "clear" || content[0] === GENERAL_SIGNING) return inner;
  const dress: Dress = { form: "clear", scope: "global", signed: true, transactionId };
  return { kind: "opened", apdu: content, dress, securityControl: 0, invocationCounter: undefined };
}

function openCiphered(side: SecuritySide, octets: Uint8Array): OpenedApdu {
  const { crypto, secrets, peerTitle, ownTitle } = side;
  if (octets[0] === GENERAL_CIPHERING) {
    const opened = openGeneral(crypto, secrets, { originator: peerTitle, recipient: ownTitle }, octets);
    if (opened.kind === "refused") return opened;
    const { key, header, securityControl, apdu } = opened;
    const dress: Dress = { form: "general-ciphering", scope: "global", key, transactionId: header.transactionId };
    const invocationCounter = key === "identified" ? opened.invocationCounter : undefined;
    return { kind: "opened", apdu, dress, securityControl, invocationCounter };
  }
  const found = protectedApdu(octets);
  if (found === undefined) return refused("clear");
  if (found.systemTitle !== undefined && !equalOctets(found.systemTitle, peerTitle))
    return refused("title", found.systemTitle);
  const keys = found.scope === "global" ? secrets.global : side.dedicated;
  if (keys === undefined) return refused("unknown-key");
  const opened = openContent(crypto, keys, peerTitle, found.content);
  if (opened.kind === "refused") return opened;
  if (found.plainTag !== undefined && opened.apdu[0] !== found.plainTag) return refused("tag-mismatch");
  const { form, scope } = found;
  const { apdu, securityControl, invocationCounter } = opened;
  return { kind: "opened", apdu, dress: { form, scope }, securityControl, invocationCounter };
}

/** Whether an opened APDU is of the suite, under the unicast key, and no weaker than a policy demands. */
export function isAsDemanded(
  opened: { readonly securityControl: number; readonly dress: Dress },
  suite: SecuritySuite,
  demanded: MessageProtection,
): boolean {
  const { securityControl, dress } = opened;
  if (demanded.signed && dress.signed !== true) return false;
  if (dress.form === "clear") return !demanded.authenticated && !demanded.encrypted;
  const found = securityControlOf(securityControl);
  if (found.suite !== suite || found.broadcastKey || found.compressed) return false;
  return (found.authenticated || !demanded.authenticated) && (found.encrypted || !demanded.encrypted);
}

/** What protecting one APDU draws: a counter, and for one-pass agreement a new private key. */
export interface Draws {
  readonly counter: () => number;
  readonly ephemeral: () => PrivateKey;
}

/** Protects an APDU as a policy demands, in a dress. The transaction id is the dress's, or made of the counter. */
export function sealSecured(
  side: SecuritySide,
  dress: Dress,
  demanded: MessageProtection,
  draws: Draws,
  apdu: Uint8Array,
): Uint8Array {
  const { crypto, suite, ownTitle, secrets } = side;
  const ciphered = dress.form !== "clear" && (demanded.authenticated || demanded.encrypted);
  if (!ciphered && !demanded.signed) return apdu;
  const invocationCounter = draws.counter();
  const header = () => headerOf(side, dress.transactionId ?? transactionIdOf(invocationCounter));
  const securityControl = controlOf(suite, demanded);
  const sender = { systemTitle: ownTitle, invocationCounter };
  const inner = !ciphered
    ? apdu
    : dress.form === "general-ciphering"
      ? sealGeneral(crypto, secrets, keyFor(dress, draws), header(), securityControl, sender, apdu)
      : protectApdu(
          crypto,
          dress.scope === "dedicated" && side.dedicated !== undefined ? side.dedicated : secrets.global,
          { form: dress.form === "general" ? "general" : "service-specific", scope: dress.scope, securityControl },
          sender,
          apdu,
        );
  if (!demanded.signed) return inner;
  if (secrets.ownSigning === undefined) throw new RangeError("expected a signing key of our own");
  return signApdu(crypto, secrets.ownSigning, header(), inner);
}

function keyFor(dress: Dress, draws: Draws): CipheringKey {
  if (dress.key === "one-pass") return { kind: "one-pass", ephemeral: draws.ephemeral() };
  return dress.key === "static-unified" ? { kind: "static-unified" } : { kind: "identified" };
}

const headerOf = ({ ownTitle, peerTitle }: SecuritySide, transactionId: Uint8Array): CipheringHeader => ({
  transactionId,
  originatorSystemTitle: ownTitle,
  recipientSystemTitle: peerTitle,
  dateTime: NOTHING,
  otherInformation: NOTHING,
});

/** Eight octets, rising with the counter. */
export function transactionIdOf(counter: number): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setUint32(4, counter);
  return octets;
}

/** Most octets that protection in a dress adds to an APDU. */
export function securedOverhead(dress: Dress, suite: SecuritySuite, signed: boolean): number {
  const signature = suite === 2 ? 96 : 64;
  const header = 3 * 9 + 2;
  const content = 3 + 5 + 12;
  const ciphering =
    dress.form === "clear"
      ? 0
      : dress.form === "general-ciphering"
        ? 1 + header + 8 + (dress.key === "one-pass" ? signature * 2 : 0) + content
        : 1 + (dress.form === "general" ? 9 : 0) + content;
  return ciphering + (signed ? 1 + header + 3 + 2 + signature : 0);
}
