import { AContext, NO_ELEMENTS } from "../../shared/c1222/a-context.ts";
import { epsemControl, readPayload, writePayload } from "../../shared/c1222/epsem.ts";
import { type EaxPrimeKey, eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import { clearApdu, openApdu, securedApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { encodeRequest } from "../../shared/c1222/services/request.ts";
import { encodeResponse, okResponse } from "../../shared/c1222/services/response.ts";
import { TableBlock } from "../../shared/c1222/services/table-data.ts";
import file from "../../shared/c1222/vectors/c1222-vectors.json" with { type: "json" };
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { concat, fromHex } from "../../shared/ports/octets.ts";
import { below, chance, type Random } from "../../shared/ports/random.ts";
import { decode, encode } from "../../shared/wire/codec.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { mutated } from "./mutate.ts";

export const KEY: EaxPrimeKey = eaxPrimeKey(
  nodeCrypto,
  nodeCrypto.secretKey(fromHex("000102030405060708090a0b0c0d0e0f")),
);
export const KEY_ID = 1;

/** Whole APDUs, as they are known. */
const APDUS: readonly Uint8Array[] = [
  ...file.apdu.map(({ apdu }) => apdu),
  ...file.segmentation.flatMap(({ segments, full_apdu: whole }) => [...segments, whole]),
].map(fromHex);

/** Services in clear: of all known APDUs that open, of tables that meters hold, and of procedures. */
const SERVICES: readonly { readonly octets: Uint8Array; readonly answers: boolean }[] = [
  ...file.apdu.flatMap(({ apdu, key, key_id: id }) => {
    const context = decode(AContext, fromHex(apdu));
    const own = key === null ? undefined : eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(key)));
    const opened = openApdu(context, (one) => (one === Number(id) ? own : undefined));
    if (opened.kind !== "opened") return [];
    const answers = context.calledApInvocationId !== undefined;
    return readPayload(opened.payload, opened.control.edClassIncluded).services.map((octets) => ({ octets, answers }));
  }),
  ...["021988485253310200104002000300020000ff1f", "09002101", "0a00070300c8d1670c"].map((hex, at) => ({
    octets: encodeRequest({ service: "fullWrite", tableId: at === 0 ? 0 : 7, data: fromHex(hex) }),
    answers: false,
  })),
  ...["01000000".repeat(24), "06000002010001000000", "00c8d16714".repeat(3)].map((hex) => ({
    octets: encodeResponse(okResponse({ kind: "data", data: fromHex(hex) })),
    answers: true,
  })),
];

const one = <T>(from: readonly T[], random: Random): T => from[below(random, from.length)] as T;

/** An APDU around services, secured as somebody who holds the key would. */
function around(services: Uint8Array, answers: boolean, random: Random): Uint8Array {
  const envelope = {
    ...NO_ELEMENTS,
    calledApTitle: ".1.1",
    ...(answers && { calledApInvocationId: Uint8Array.of(9) }),
    callingApTitle: ".23.273",
    callingApInvocationId: Uint8Array.of(below(random, 0x80)),
  };
  const securityMode = below(random, 3) as 0 | 1 | 2;
  const control = epsemControl({ securityMode });
  return securityMode === 0
    ? clearApdu(envelope, control, services)
    : securedApdu(KEY, { keyId: KEY_ID, iv: random.uint32() }, envelope, control, services);
}

/** Table data of another content under a sound count and checksum. */
function otherData(service: Uint8Array, random: Random): Uint8Array {
  for (let at = 1; at < Math.min(8, service.length - 3); at++)
    try {
      const data = decode(TableBlock, service.subarray(at));
      return concat(service.subarray(0, at), encode(TableBlock, mutated(data, random, data)));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  return mutated(service, random, service);
}

/**
 * A mutant of a known APDU: of the whole, of the services in a sound envelope, or of the table data in a sound service, so
 * that every layer gets its share.
 */
export function mutantApdu(random: Random): Uint8Array {
  const kind = below(random, 4);
  if (kind === 0) return mutated(one(APDUS, random), random, one(APDUS, random));
  const { octets, answers } = one(SERVICES, random);
  if (kind === 1) {
    const payload = writePayload({ edClass: undefined, services: [octets] });
    return around(mutated(payload, random, one(SERVICES, random).octets), answers, random);
  }
  const changed = kind === 2 ? mutated(octets, random, one(SERVICES, random).octets) : otherData(octets, random);
  return around(writePayload({ edClass: undefined, services: [changed] }), answers, random);
}

/** A frame of a conversation under `key`: its services mutated within the security, or the frame itself. */
export function mutantOf(frame: Uint8Array, keyId: number, key: EaxPrimeKey, random: Random): Uint8Array {
  if (chance(random, 0.2)) return mutated(frame, random, one(APDUS, random));
  const context = decode(AContext, frame);
  const opened = openApdu(context, (id) => (id === keyId ? key : undefined));
  if (opened.kind !== "opened") return mutated(frame, random, one(APDUS, random));
  const { userInformation: _, callingAuthenticationValue: __, ...envelope } = context;
  const { edClass, services } = readPayload(opened.payload, opened.control.edClassIncluded);
  const target = below(random, Math.max(1, services.length));
  const changed = services.map((octets, at) =>
    at !== target ? octets : chance(random, 0.5) ? otherData(octets, random) : mutated(octets, random, octets),
  );
  const payload = writePayload({ edClass, services: changed });
  return opened.authentication === undefined
    ? clearApdu(envelope, opened.control, payload)
    : securedApdu(key, opened.authentication, envelope, opened.control, payload);
}
