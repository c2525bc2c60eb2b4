import { concat, equalOctets } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext } from "../a-context.ts";
import {
  authenticationValueContent,
  authenticationValueOf,
  type CallingAuthenticationValue,
} from "../calling-authentication-value.ts";
import { EpsemControl, SECURITY_MODE } from "../epsem.ts";
import { canonicalCleartext } from "./canonical-cleartext.ts";
import { type EaxPrimeKey, MAC_OCTETS, macEaxPrime, openEaxPrime, sealEaxPrime } from "./eax-prime.ts";

/** Elements around the user information. */
export type Envelope = Omit<AContext, "userInformation" | "callingAuthenticationValue">;

/** An APDU in clear: control and payload as they are. */
export function clearApdu(envelope: Envelope, control: EpsemControl, payload: Uint8Array): Uint8Array {
  const octetAligned = concat(encode(EpsemControl, control), payload);
  return encode(AContext, {
    ...envelope,
    callingAuthenticationValue: undefined,
    userInformation: { indirectReference: undefined, octetAligned },
  });
}

/** An APDU under EAX', in the mode that its control says (1 or 2). The authentication value is always sent. */
export function securedApdu(
  key: EaxPrimeKey,
  authentication: CallingAuthenticationValue,
  envelope: Envelope,
  control: EpsemControl,
  payload: Uint8Array,
): Uint8Array {
  const head = encode(EpsemControl, control);
  const apdu = (body: Uint8Array): AContext => ({
    ...envelope,
    callingAuthenticationValue: authenticationValueContent(authentication),
    userInformation: { indirectReference: undefined, octetAligned: concat(head, body) },
  });
  // The lengths of the whole message are part of N, so it is laid out before it is sealed.
  const cleartext = canonicalCleartext(apdu(new Uint8Array(payload.length + MAC_OCTETS)), authentication);
  const body =
    control.securityMode === SECURITY_MODE.ciphertextWithAuthentication
      ? sealEaxPrime(key, cleartext, payload)
      : concat(payload, macEaxPrime(key, cleartext, payload));
  return encode(AContext, apdu(body));
}

/** How an APDU was found to be secured. */
export type Opened =
  | {
      readonly kind: "opened";
      readonly control: EpsemControl;
      readonly payload: Uint8Array;
      readonly authentication: CallingAuthenticationValue | undefined;
    }
  | {
      readonly kind: "closed";
      readonly control: EpsemControl;
      /** Dotted: `c1222.…`. */
      readonly code: "c1222.no-authentication-value" | "c1222.elements-missing" | "c1222.unknown-key" | "c1222.bad-mac";
      readonly authentication: CallingAuthenticationValue | undefined;
    };

/** The EPSEM control of an APDU. Throws `WireError`. */
export const controlOf = ({ userInformation: { octetAligned } }: AContext): EpsemControl =>
  decode(EpsemControl, octetAligned.subarray(0, 1));

/**
 * The payload of an APDU, verified where it is secured. `keyOf`: the sender's key of this id. A secured APDU without a
 * called title or an authentication value is never opened. Throws `WireError` on malformed octets.
 */
export function openApdu(apdu: AContext, keyOf: (keyId: number) => EaxPrimeKey | undefined): Opened {
  const control = controlOf(apdu);
  const body = apdu.userInformation.octetAligned.subarray(1);
  const content = apdu.callingAuthenticationValue;
  if (control.securityMode === SECURITY_MODE.cleartext)
    return { kind: "opened", control, payload: body, authentication: undefined };
  if (content === undefined)
    return { kind: "closed", control, code: "c1222.no-authentication-value", authentication: undefined };
  const authentication = authenticationValueOf(content);
  const closed = (code: Extract<Opened, { kind: "closed" }>["code"]): Opened => ({
    kind: "closed",
    control,
    code,
    authentication,
  });
  if (apdu.calledApTitle === undefined || apdu.calledApTitle === ".") return closed("c1222.elements-missing");
  if (body.length < MAC_OCTETS)
    throw new WireError(
      "wire.truncated",
      `expected a MAC of ${MAC_OCTETS} octets, got ${body.length}`,
      body.byteOffset,
    );
  const key = keyOf(authentication.keyId);
  if (key === undefined) return closed("c1222.unknown-key");
  const cleartext = canonicalCleartext(apdu, authentication);
  if (control.securityMode === SECURITY_MODE.ciphertextWithAuthentication) {
    const payload = openEaxPrime(key, cleartext, body);
    return payload === undefined ? closed("c1222.bad-mac") : { kind: "opened", control, payload, authentication };
  }
  const payload = body.subarray(0, body.length - MAC_OCTETS);
  return equalOctets(macEaxPrime(key, cleartext, payload), body.subarray(payload.length))
    ? { kind: "opened", control, payload, authentication }
    : closed("c1222.bad-mac");
}
