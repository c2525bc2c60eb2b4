import { APDUS, type Apdu, decodeApdu } from "../../shared/dlms/apdu.ts";
import { DataCodec } from "../../shared/dlms/data.ts";
import { type HdlcAddress, HdlcFrameCodec, hdlcControlOf, llcOf } from "../../shared/dlms/hdlc-frame.ts";
import { HdlcParametersCodec } from "../../shared/dlms/hdlc-parameters.ts";
import { protectedApdu } from "../../shared/dlms/security/apdu-protection.ts";
import { GeneralCiphering, GeneralSigning } from "../../shared/dlms/security/ciphered-apdu.ts";
import { extraAad } from "../../shared/dlms/security/general-ciphering.ts";
import { SECURITY_HEADER, securityHeaderOf } from "../../shared/dlms/security/protection.ts";
import { securityControlOf } from "../../shared/dlms/security/security-control.ts";
import { WRAPPER_HEADER, Wrapper } from "../../shared/dlms/wrapper.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { decode } from "../../shared/wire/codec.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { apduJson } from "./apdu-json.ts";
import { dataJson, type Json, type JsonObject, json } from "./json.ts";
import { decipher, decipherGeneral, type Secrets } from "./secrets.ts";

export type Framing = "wrapper" | "hdlc" | "none" | "data";

/** Framing told from the first octets: a flag, a wrapper version, or an APDU as it stands. */
export const framingOf = (octets: Uint8Array): Framing =>
  octets[0] === 0x7e ? "hdlc" : octets[0] === 0x00 && octets[1] === 0x01 ? "wrapper" : "none";

/** The layers of one frame, outermost first. Throws `WireError` with the offset in the frame (or in deciphered content). */
export function frameLayers(octets: Uint8Array, framing: Framing, secrets: Secrets): readonly JsonObject[] {
  switch (framing) {
    case "data":
      return [{ layer: "data", ...dataJson(decode(DataCodec, octets)) }];
    case "none":
      return apduLayers(octets, 0, secrets, secrets.titles);
    case "wrapper": {
      const { sourceWPort, destinationWPort, apdu } = decode(Wrapper, octets);
      const layer = { layer: "wrapper", version: 1, sourceWPort, destinationWPort, length: apdu.length };
      if (apdu.length === 0) return [layer];
      return [layer, ...apduLayers(apdu, WRAPPER_HEADER, secrets, secrets.titles)];
    }
    case "hdlc":
      return hdlcLayers(octets, secrets);
  }
}

const addressJson = ({ upper, lower, octets }: HdlcAddress): JsonObject => ({
  upper,
  ...(lower === undefined ? {} : { lower }),
  octets,
});

function hdlcLayers(octets: Uint8Array, secrets: Secrets): readonly JsonObject[] {
  const frame = decode(HdlcFrameCodec, octets);
  const control = hdlcControlOf(frame.control);
  const layer = {
    layer: "hdlc",
    segmentation: frame.segmented,
    length: octets.length - 2,
    destinationAddress: addressJson(frame.destination),
    sourceAddress: addressJson(frame.source),
    control: frame.control,
    controlName: control.name,
    pollFinal: control.pollFinal,
    ...(control.sendSequence === undefined ? {} : { sendSequence: control.sendSequence }),
    ...(control.receiveSequence === undefined ? {} : { receiveSequence: control.receiveSequence }),
    information: toHex(frame.information),
  };
  const { information } = frame;
  if ((control.name === "SNRM" || control.name === "UA") && information.length > 0) {
    const base = information.byteOffset - octets.byteOffset;
    return [{ ...layer, parameters: json(decode(HdlcParametersCodec, information, base)) }];
  }
  const llc = llcOf(frame.information);
  const carries = control.name === "I" || control.name === "UI";
  if (!carries || llc === undefined) return [layer];
  const llcLayer = { layer: "llc", destinationLsap: 0xe6, sourceLsap: llc.sourceLsap, quality: 0 };
  if (frame.segmented) return [layer, llcLayer]; // the APDU goes on in the next frame
  const base = llc.apdu.byteOffset - octets.byteOffset;
  return [layer, llcLayer, ...apduLayers(llc.apdu, base, secrets, secrets.titles)];
}

/** An APDU and what is inside of it. `titles`: whose it may be. */
function apduLayers(
  octets: Uint8Array,
  base: number,
  secrets: Secrets,
  titles: readonly Uint8Array[],
): readonly JsonObject[] {
  const tag = octets[0];
  if (tag === 0xdd) return generalCiphering(octets, base, secrets);
  if (tag === 0xdf) return generalSigning(octets, base, secrets, titles);
  const found = reoffset(base, () => protectedApdu(octets));
  if (found !== undefined) return cipheredLayers(octets, base, found, secrets, titles);
  const apdu = decodeApdu(octets, base);
  return [apduJson(apdu), ...inside(apdu, octets, base, secrets, titles)];
}

/** Runs a decoder that counts from the APDU's first octet. */
function reoffset<T>(base: number, decoding: () => T): T {
  try {
    return decoding();
  } catch (error) {
    if (!(error instanceof WireError) || base === 0) throw error;
    throw new WireError(error.code, error.message.replace(/ at octet \d+$/, ""), error.offset + base);
  }
}

/** APDUs that carry another one in their octets. */
function inside(
  apdu: Apdu,
  octets: Uint8Array,
  base: number,
  secrets: Secrets,
  titles: readonly Uint8Array[],
): readonly JsonObject[] {
  const at = (inner: Uint8Array): number => base + inner.byteOffset - octets.byteOffset;
  if (apdu.name === "AARQ" || apdu.name === "AARE" || apdu.name === "RLRQ" || apdu.name === "RLRE") {
    const { userInformation } = apdu.value;
    if (userInformation === undefined || userInformation.length === 0) return [];
    const own =
      apdu.name === "AARQ"
        ? apdu.value.callingApTitle
        : apdu.name === "AARE"
          ? apdu.value.respondingApTitle
          : undefined;
    const all = own?.length === 8 ? [own, ...titles] : titles;
    return apduLayers(userInformation, at(userInformation), secrets, all);
  }
  if (apdu.name === "GeneralBlockTransfer" && apdu.value.lastBlock && apdu.value.blockNumber === 1)
    return apdu.value.blockData.length === 0
      ? []
      : apduLayers(apdu.value.blockData, at(apdu.value.blockData), secrets, titles);
  return [];
}

const plainName = (tag: number): string =>
  (APDUS as Readonly<Record<number, { readonly name: string }>>)[tag]?.name ?? `Tag${tag}`;

/** Security control and counter, in words. */
function securityJson(content: Uint8Array): JsonObject {
  const header = securityHeaderOf(content);
  if (header === undefined) return { length: content.length };
  const { suite, authenticated, encrypted, broadcastKey, compressed } = securityControlOf(header.securityControl);
  return {
    securityControl: header.securityControl,
    securitySuite: suite,
    authenticated,
    encrypted,
    broadcastKey,
    compressed,
    invocationCounter: header.invocationCounter,
    payload: toHex(content.subarray(SECURITY_HEADER)),
  };
}

type Protected = NonNullable<ReturnType<typeof protectedApdu>>;
function cipheredLayers(
  octets: Uint8Array,
  base: number,
  found: Protected,
  secrets: Secrets,
  titles: readonly Uint8Array[],
): readonly JsonObject[] {
  const { content, scope, plainTag, systemTitle } = found;
  if (content.length < SECURITY_HEADER)
    throw new WireError(
      "wire.truncated",
      `expected a security header of ${SECURITY_HEADER} octets, got ${content.length}`,
      base + octets.length,
    );
  const scopeName = scope === "global" ? "Glo" : "Ded";
  const name = plainTag === undefined ? `General${scopeName}Ciphering` : `${scopeName}${plainName(plainTag)}`;
  const layer: JsonObject = {
    layer: "apdu",
    name,
    ...(systemTitle && { systemTitle: toHex(systemTitle) }),
    ...securityJson(content),
  };
  const plausible = (apdu: Uint8Array): boolean =>
    plainTag === undefined || apdu[0] === plainTag ? isApdu(apdu) : false;
  const opened = decipher(secrets, scope, systemTitle === undefined ? titles : [systemTitle], content, plausible);
  if (opened.kind === "closed") return [layer, { layer: "ciphered", reason: opened.reason }];
  const told = { ...layer, systemTitle: toHex(opened.systemTitle), verified: opened.authenticated };
  return [told, ...apduLayers(opened.apdu, 0, secrets, titles)];
}

function isApdu(apdu: Uint8Array): boolean {
  try {
    return protectedApdu(apdu) !== undefined || decodeApdu(apdu) !== undefined;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function generalCiphering(octets: Uint8Array, base: number, secrets: Secrets): readonly JsonObject[] {
  const { cipheredContent, keyInfo, ...header } = decode(GeneralCiphering, octets, base);
  const key: Json = keyInfo === undefined ? null : { [keyInfo.kind]: json(keyInfo) };
  const layer: JsonObject = {
    layer: "apdu",
    name: "GeneralCiphering",
    ...(json(header) as JsonObject),
    keyInfo: key,
    ...securityJson(cipheredContent),
  };
  const { originatorSystemTitle } = header;
  const opened = decipherGeneral(secrets, originatorSystemTitle, cipheredContent, extraAad(header), isApdu);
  if (opened.kind === "closed") return [layer, { layer: "ciphered", reason: opened.reason }];
  return [{ ...layer, verified: opened.authenticated }, ...apduLayers(opened.apdu, 0, secrets, secrets.titles)];
}

function generalSigning(
  octets: Uint8Array,
  base: number,
  secrets: Secrets,
  titles: readonly Uint8Array[],
): readonly JsonObject[] {
  const { content, ...header } = decode(GeneralSigning, octets, base);
  const layer = { layer: "apdu", name: "GeneralSigning", ...(json(header) as JsonObject), signatureVerified: false };
  return [layer, ...apduLayers(content, base + content.byteOffset - octets.byteOffset, secrets, titles)];
}
