import type { Crypto, Curve, PrivateKey } from "../../ports/crypto.ts";
import { concat } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { octetString } from "../../wire/octet-string.ts";
import { Writer } from "../../wire/writer.ts";
import { type CipheringHeader, GeneralSigning } from "./ciphered-apdu.ts";

const field = octetString(255);
/** Header fields of General-Ciphering and General-Signing, each with its length, as both authenticate them. */
export function headerOctets(header: CipheringHeader): Uint8Array {
  const target = new Writer();
  field.write(target, header.transactionId);
  field.write(target, header.originatorSystemTitle);
  field.write(target, header.recipientSystemTitle);
  field.write(target, header.dateTime);
  field.write(target, header.otherInformation);
  return target.done();
}

/**
 * What a signature covers: the header, each field with its length, and the content without its length, as the one
 * public implementation has it (docs/standards.md, unverified).
 */
export const signedOctets = (header: CipheringHeader, content: Uint8Array): Uint8Array =>
  concat(headerOctets(header), content);

export function signApdu(crypto: Crypto, key: PrivateKey, header: CipheringHeader, content: Uint8Array): Uint8Array {
  return encode(GeneralSigning, { ...header, content, signature: crypto.sign(key, signedOctets(header, content)) });
}

/** A General-Signing APDU whose signature verifies under the signer's point; undefined: it does not. Throws `WireError`. */
export function openSigned(
  crypto: Crypto,
  curve: Curve,
  signer: Uint8Array,
  octets: Uint8Array,
): GeneralSigning | undefined {
  const found = decode(GeneralSigning, octets);
  const { content, signature, ...header } = found;
  return crypto.verify(curve, signer, signedOctets(header, content), signature) ? found : undefined;
}
