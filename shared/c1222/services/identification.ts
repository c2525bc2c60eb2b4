import { element } from "../../wire/ber.ts";
import { type Codec, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { oid, relativeOid } from "../oid.ts";

/** What an identification tells beyond versions; unknown features cannot be passed over, for they say no length. */
export type IdentificationFeature =
  | { readonly feature: "securityMechanism"; readonly mechanism: string }
  | { readonly feature: "sessionControl"; readonly sessions: number; readonly sessionless: boolean }
  | { readonly feature: "deviceClass"; readonly deviceClass: string }
  | { readonly feature: "deviceIdentity"; readonly format: number; readonly identification: Uint8Array };

export interface IdentificationOk {
  /** 0: C12.18, 3: C12.22. */
  readonly standard: number;
  readonly version: number;
  readonly revision: number;
  readonly features: readonly IdentificationFeature[];
}

const SECURITY_MECHANISM = 4;
const SESSION_CONTROL = 5;
const DEVICE_CLASS = 6;
const DEVICE_IDENTITY = 7;

const identifier: Codec<string> = {
  read: (source) => (source.peek() === 0x06 ? element(0x06, oid) : element(0x80, relativeOid)).read(source),
  write: (target, text) =>
    text.startsWith(".") ? element(0x80, relativeOid).write(target, text) : element(0x06, oid).write(target, text),
};

const Feature: Codec<IdentificationFeature> = {
  read: (source) => {
    const { offset } = source;
    const tag = source.unsigned8("a feature");
    switch (tag) {
      case SECURITY_MECHANISM:
        return { feature: "securityMechanism", mechanism: identifier.read(source) };
      case SESSION_CONTROL: {
        const octet = source.unsigned8("session control");
        return { feature: "sessionControl", sessions: octet & 0x7f, sessionless: octet >= 0x80 };
      }
      case DEVICE_CLASS:
        return { feature: "deviceClass", deviceClass: identifier.read(source) };
      case DEVICE_IDENTITY: {
        const content = source.inner(source.unsigned8("a length"), "a device identity");
        return { feature: "deviceIdentity", format: content.unsigned8("a format"), identification: content.rest() };
      }
      default:
        throw new WireError("wire.tag", `expected a feature of 4 to 7, got ${tag}`, offset, { tag });
    }
  },
  write: (target, value) => {
    switch (value.feature) {
      case "securityMechanism":
        target.unsigned8(SECURITY_MECHANISM);
        identifier.write(target, value.mechanism);
        break;
      case "sessionControl":
        target.unsigned8(SESSION_CONTROL);
        target.unsigned8((value.sessionless ? 0x80 : 0) | value.sessions);
        break;
      case "deviceClass":
        target.unsigned8(DEVICE_CLASS);
        identifier.write(target, value.deviceClass);
        break;
      case "deviceIdentity":
        target.unsigned8(DEVICE_IDENTITY);
        target.unsigned8(value.identification.length + 1);
        target.unsigned8(value.format);
        target.octets(value.identification);
    }
  },
};

/** Answer to Identification, code 20. */
export const IdentificationOk: Codec<IdentificationOk> = {
  read: (source) => {
    const [standard, version, revision] = source.take(3, "standard, version and revision");
    const features: IdentificationFeature[] = [];
    while (source.peek() !== 0) features.push(Feature.read(source));
    source.unsigned8("the end of the features");
    return { standard: standard!, version: version!, revision: revision!, features };
  },
  write: (target, { standard, version, revision, features }) => {
    target.octets(Uint8Array.of(standard, version, revision));
    for (const feature of features) target.octets(encode(Feature, feature));
    target.unsigned8(0);
  },
};
