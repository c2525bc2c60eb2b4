import type { Crypto } from "../../ports/crypto.ts";
import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import {
  cipheredTag,
  GeneralDedCiphering,
  GeneralGloCiphering,
  type KeyScope,
  ServiceCiphered,
  serviceTagOf,
} from "./ciphered-apdu.ts";
import { type CipherKeys, type Sender, sealContent } from "./protection.ts";

/** How a protected APDU is dressed: `service-specific` glo-/ded-, `general` General-Glo-/General-Ded-Ciphering. */
export type CipheringForm = "service-specific" | "general";

/** A protected APDU as it came: its dress, and the content that protection.ts opens. */
export interface ProtectedApdu {
  readonly form: CipheringForm;
  readonly scope: KeyScope;
  /** Tag that the APDU inside must have; undefined in the general form. */
  readonly plainTag: number | undefined;
  /** Title that the sender claims; undefined when the form does not carry it. */
  readonly systemTitle: Uint8Array | undefined;
  readonly content: Uint8Array;
}

/** Undefined: these octets are not a protected APDU. Throws `WireError` when they are a malformed one. */
export function protectedApdu(octets: Uint8Array): ProtectedApdu | undefined {
  const tag = octets[0];
  if (tag === undefined) return undefined;
  if (tag === 0xdb || tag === 0xdc) {
    const { systemTitle, cipheredService } = decode(tag === 0xdb ? GeneralGloCiphering : GeneralDedCiphering, octets);
    if (systemTitle.length !== 0 && systemTitle.length !== 8)
      throw new WireError("wire.value", `expected a system title of 8 octets, got ${systemTitle.length}`, 1);
    return {
      form: "general",
      scope: tag === 0xdb ? "global" : "dedicated",
      plainTag: undefined,
      systemTitle: systemTitle.length === 0 ? undefined : systemTitle,
      content: cipheredService,
    };
  }
  const service = serviceTagOf(tag);
  if (service === undefined) return undefined;
  const { content } = decode(ServiceCiphered, octets);
  return { form: "service-specific", scope: service.scope, plainTag: service.plain, systemTitle: undefined, content };
}

/**
 * Protects an APDU and dresses it. APDUs without a service-specific form (data-notification, access) go out in the
 * general one.
 */
export function protectApdu(
  crypto: Crypto,
  keys: CipherKeys,
  dress: { readonly form: CipheringForm; readonly scope: KeyScope; readonly securityControl: number },
  sender: Sender,
  apdu: Uint8Array,
): Uint8Array {
  const content = sealContent(crypto, keys, dress.securityControl, sender, apdu);
  const tag = dress.form === "service-specific" ? cipheredTag(apdu[0] ?? 0, dress.scope) : undefined;
  if (tag !== undefined) return encode(ServiceCiphered, { tag, content });
  return encode(dress.scope === "global" ? GeneralGloCiphering : GeneralDedCiphering, {
    systemTitle: sender.systemTitle,
    cipheredService: content,
  });
}
