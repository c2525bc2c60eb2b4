import { type Codec, decode, encode, mapped } from "../wire/codec.ts";
import { berLength } from "../wire/definite-length.ts";
import { unsigned8 } from "../wire/integers.ts";
import { fixedOctets } from "../wire/octet-string.ts";

export const SECURITY_MODE = { cleartext: 0, cleartextWithAuthentication: 1, ciphertextWithAuthentication: 2 } as const;
export const RESPONSE_CONTROL = { always: 0, onException: 1, never: 2 } as const;

/** The octet before the services: never enciphered, always authenticated. */
export interface EpsemControl {
  readonly recoverySession: boolean;
  readonly proxyServiceUsed: boolean;
  readonly edClassIncluded: boolean;
  readonly securityMode: 0 | 1 | 2;
  readonly responseControl: 0 | 1 | 2;
}

const RESERVED = 0x80;
export const EpsemControl: Codec<EpsemControl> = mapped(
  unsigned8,
  (octet, refuse) => {
    if ((octet & RESERVED) === 0) refuse("expected the first bit of the EPSEM control to be 1");
    const securityMode = (octet >> 2) & 3;
    const responseControl = octet & 3;
    if (securityMode === 3) return refuse("expected a security mode of 0 to 2, got 3");
    if (responseControl === 3) return refuse("expected a response control of 0 to 2, got 3");
    return {
      recoverySession: (octet & 0x40) !== 0,
      proxyServiceUsed: (octet & 0x20) !== 0,
      edClassIncluded: (octet & 0x10) !== 0,
      securityMode: securityMode as 0 | 1 | 2,
      responseControl: responseControl as 0 | 1 | 2,
    };
  },
  (control) =>
    RESERVED |
    (control.recoverySession ? 0x40 : 0) |
    (control.proxyServiceUsed ? 0x20 : 0) |
    (control.edClassIncluded ? 0x10 : 0) |
    (control.securityMode << 2) |
    control.responseControl,
);

export const epsemControl = (control: Partial<EpsemControl>): EpsemControl => ({
  recoverySession: false,
  proxyServiceUsed: false,
  edClassIncluded: false,
  securityMode: 0,
  responseControl: 0,
  ...control,
});

const ED_CLASS_OCTETS = 4;

/** What follows the control: the device class where it is included, then the services, each still in octets. */
export interface EpsemPayload {
  readonly edClass: Uint8Array | undefined;
  readonly services: readonly Uint8Array[];
}

const payloadCodec = (edClassIncluded: boolean): Codec<EpsemPayload> => ({
  read: (source) => {
    const edClass = edClassIncluded ? source.take(ED_CLASS_OCTETS, "the device class") : undefined;
    const services: Uint8Array[] = [];
    while (source.remaining > 0) {
      const length = berLength.read(source);
      if (length === 0) {
        source.rest(); // a length of 0 ends the list; what follows is padding
        break;
      }
      services.push(source.take(length, "a service"));
    }
    return { edClass, services };
  },
  write: (target, { edClass, services }) => {
    if (edClass !== undefined) fixedOctets(ED_CLASS_OCTETS, "device class").write(target, edClass);
    for (const service of services) {
      berLength.write(target, service.length);
      target.octets(service);
    }
  },
});

/** `base`: offset of the first octet in the frame, for messages. */
export const readPayload = (octets: Uint8Array, edClassIncluded: boolean, base = 0): EpsemPayload =>
  decode(payloadCodec(edClassIncluded), octets, base);
export const writePayload = (payload: EpsemPayload): Uint8Array =>
  encode(payloadCodec(payload.edClass !== undefined), payload);
