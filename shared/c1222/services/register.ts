import { type Codec, sequence } from "../../wire/codec.ts";
import { unsigned8, unsigned16 } from "../../wire/integers.ts";
import { fixedOctets } from "../../wire/octet-string.ts";
import { ApTitle } from "../ap-title.ts";
import { unsigned24 } from "./table-data.ts";

export const NODE_TYPE = {
  relay: 0x01,
  masterRelay: 0x02,
  host: 0x04,
  notificationHost: 0x08,
  authenticationHost: 0x10,
  endDevice: 0x20,
  myDomainPattern: 0x80,
} as const;
export const CONNECTION_TYPE = {
  broadcastAndMulticast: 0x01,
  messageAcceptanceWindow: 0x02,
  playbackRejection: 0x04,
  connectionless: 0x10,
  acceptConnectionless: 0x20,
  connection: 0x40,
  acceptConnection: 0x80,
} as const;

/** A length of one octet, which is not BER, and as many octets. */
export const shortOctets = (what: string): Codec<Uint8Array> => ({
  read: (source) => source.take(source.unsigned8(`the length of ${what}`), what),
  write: (target, octets) => {
    unsigned8.write(target, octets.length);
    target.octets(octets);
  },
});

export interface Register {
  readonly nodeType: number;
  readonly connectionType: number;
  readonly deviceClass: Uint8Array;
  /** `.`: the node asks for one. */
  readonly apTitle: string;
  readonly electronicSerialNumber: string;
  readonly nativeAddress: Uint8Array;
  /** Seconds, the most that the node wants. */
  readonly registrationPeriod: number;
  readonly myDomainPattern: Uint8Array | undefined;
}

const pattern = shortOctets("a domain pattern");
const fixed = sequence({
  nodeType: unsigned8,
  connectionType: unsigned8,
  deviceClass: fixedOctets(4, "a device class"),
  apTitle: ApTitle,
  electronicSerialNumber: ApTitle,
  nativeAddress: shortOctets("a native address"),
  registrationPeriod: unsigned24,
});
/** Register, code 27. */
export const Register: Codec<Register> = {
  read: (source) => {
    const value = fixed.read(source);
    const hasPattern = (value.nodeType & NODE_TYPE.myDomainPattern) !== 0;
    return { ...value, myDomainPattern: hasPattern ? pattern.read(source) : undefined };
  },
  write: (target, value) => {
    fixed.write(target, value);
    if (value.myDomainPattern !== undefined) pattern.write(target, value.myDomainPattern);
  },
};

export const RegisterOk = sequence({
  apTitle: ApTitle,
  /** Seconds to wait, by chance up to it, before registering again after power-up. */
  registrationDelay: unsigned16,
  /** Seconds granted. */
  registrationPeriod: unsigned24,
  /** Bits of the connection type that the relay turns on; bit 0: direct messaging. */
  registrationInfo: unsigned8,
});
