import { AE_QUALIFIER, NO_ELEMENTS } from "../a-context.ts";
import { invocationIdOctets } from "../clear-message.ts";
import { epsemControl, RESPONSE_CONTROL, writePayload } from "../epsem.ts";
import type { EaxPrimeKey } from "../security/eax-prime.ts";
import { clearApdu, securedApdu } from "../security/secured-apdu.ts";
import { encodeRequest, type Request } from "../services/request.ts";

export interface Notifier {
  readonly apTitle: string;
  /** Title of the notification host. */
  readonly hostTitle: string;
  /** 4 octets: which device model it is. */
  readonly edClass: Uint8Array;
  readonly invocationId: number;
  /** Undefined: in clear. */
  readonly secured:
    | { readonly key: EaxPrimeKey; readonly keyId: number; readonly iv: number; readonly securityMode: 1 | 2 }
    | undefined;
  readonly isUrgent: boolean;
}

/** Writes that a node sends by itself to its notification host: with its device class, and never answered. */
export function notify(from: Notifier, writes: readonly Request[]): Uint8Array {
  const { apTitle, hostTitle, edClass, invocationId, secured, isUrgent } = from;
  const envelope = {
    ...NO_ELEMENTS,
    calledApTitle: hostTitle,
    callingApTitle: apTitle,
    callingAeQualifier: Uint8Array.of(AE_QUALIFIER.notification | (isUrgent ? AE_QUALIFIER.urgent : 0)),
    callingApInvocationId: invocationIdOctets(invocationId),
  };
  const control = epsemControl({
    edClassIncluded: true,
    securityMode: secured?.securityMode ?? 0,
    responseControl: RESPONSE_CONTROL.never,
  });
  const payload = writePayload({ edClass, services: writes.map(encodeRequest) });
  return secured === undefined
    ? clearApdu(envelope, control, payload)
    : securedApdu(secured.key, { keyId: secured.keyId, iv: secured.iv }, envelope, control, payload);
}
