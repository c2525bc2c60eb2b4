import { element, writeElement } from "../../wire/ber.ts";
import { encode } from "../../wire/codec.ts";
import { berLength, definiteLengthOctets } from "../../wire/definite-length.ts";
import { unsigned8, unsigned32 } from "../../wire/integers.ts";
import { Writer } from "../../wire/writer.ts";
import type { AContext } from "../a-context.ts";
import { absoluteTitle, titleOctets } from "../ap-title.ts";
import type { CallingAuthenticationValue } from "../calling-authentication-value.ts";
import { oid } from "../oid.ts";

const INTEGER = 0x02;

/** BE, EXTERNAL and octet-aligned with the lengths of the whole message, up to and with the EPSEM control. */
function userInformationHeader(target: Writer, { userInformation }: AContext): void {
  const { indirectReference, octetAligned } = userInformation;
  const reference = indirectReference === undefined ? 0 : 2 + indirectReference.length;
  const aligned = 1 + definiteLengthOctets(octetAligned.length) + octetAligned.length;
  const external = reference + aligned;
  target.unsigned8(0xbe);
  berLength.write(target, 1 + definiteLengthOctets(external) + external);
  target.unsigned8(0x28);
  berLength.write(target, external);
  if (indirectReference !== undefined) writeElement(target, INTEGER, indirectReference);
  target.unsigned8(0x81);
  berLength.write(target, octetAligned.length);
  target.octets(octetAligned.subarray(0, 1));
}

/**
 * The canonical cleartext N of a secured APDU: present elements in an order of their own, with absolute titles and
 * shortest lengths; the calling title comes after the user information. In mode 1 the payload follows.
 */
export function canonicalCleartext(apdu: AContext, { keyId, iv }: CallingAuthenticationValue): Uint8Array {
  const target = new Writer();
  const root = apdu.asoContext;
  const title = (tag: number, value: string): void =>
    writeElement(target, tag, titleOctets(absoluteTitle(value, root)));
  const integer = (tag: number, value: Uint8Array | undefined): void => {
    if (value === undefined) return;
    target.unsigned8(tag);
    berLength.write(target, 1 + definiteLengthOctets(value.length) + value.length);
    writeElement(target, INTEGER, value);
  };
  if (apdu.asoContext !== undefined) writeElement(target, 0xa1, encode(element(0x06, oid), apdu.asoContext));
  if (apdu.calledApTitle !== undefined) title(0xa2, apdu.calledApTitle);
  integer(0xa4, apdu.calledApInvocationId);
  integer(0xa7, apdu.callingAeQualifier);
  integer(0xa8, apdu.callingApInvocationId);
  if (apdu.mechanismName !== undefined) writeElement(target, 0x8b, encode(oid, apdu.mechanismName));
  if (apdu.callingAuthenticationValue !== undefined) writeElement(target, 0xac, apdu.callingAuthenticationValue);
  userInformationHeader(target, apdu);
  if (apdu.callingApTitle !== undefined) title(0xa6, apdu.callingApTitle);
  unsigned8.write(target, keyId);
  unsigned32.write(target, iv);
  return target.done();
}
