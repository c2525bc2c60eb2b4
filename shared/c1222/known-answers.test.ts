import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { concat, fromHex, toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { AContext } from "./a-context.ts";
import { ApTitle, absoluteTitle } from "./ap-title.ts";
import { authenticationValueContent, authenticationValueOf } from "./calling-authentication-value.ts";
import { EpsemControl, readPayload, writePayload } from "./epsem.ts";
import { nativeAddressOctets, nativeAddressOf } from "./native-address.ts";
import { canonicalCleartext } from "./security/canonical-cleartext.ts";
import { eaxPrimeKey, macEaxPrime, openEaxPrime, sealEaxPrime } from "./security/eax-prime.ts";
import { clearApdu, openApdu, securedApdu } from "./security/secured-apdu.ts";
import { Reassembly, segmentsOf } from "./segmentation.ts";
import { decodeRequest, encodeRequest, type Request } from "./services/request.ts";
import { decodeResponse, encodeResponse } from "./services/response.ts";
import { tableChecksum } from "./services/table-data.ts";
import file from "./vectors/c1222-vectors.json" with { type: "json" };

const keyOf = (hex: string) => eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(hex)));
type ApduVector = {
  readonly id: string;
  readonly apdu: string;
  readonly key: string | null;
  readonly N?: string;
  readonly plaintext?: string;
};
const apdus = file.apdu as readonly ApduVector[];
const clear = apdus.filter(({ key }) => key === null);
const secured = apdus.flatMap(({ id, apdu, key, N, plaintext }) =>
  key === null || N === undefined || plaintext === undefined ? [] : [{ id, apdu, key, cleartext: N, plaintext }],
);

describe.each(file.eaxprime)("EAX' $id", ({ key, N, P, C, mac }) => {
  const ready = keyOf(key);
  it("enciphers", () => expect(toHex(sealEaxPrime(ready, fromHex(N), fromHex(P)))).toBe(C + mac));
  it("deciphers", () => expect(toHex(openEaxPrime(ready, fromHex(N), fromHex(C + mac)) ?? new Uint8Array())).toBe(P));
  it("refuses every changed octet", () => {
    const sealed = fromHex(C + mac);
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at]! ^= 0x01;
      expect(openEaxPrime(ready, fromHex(N), changed)).toBeUndefined();
    }
  });
});

it("EAX' of a clear payload has the published MAC", () => {
  for (const { key, N, P, mac } of file.eaxprime_cleartext_auth)
    expect(toHex(macEaxPrime(keyOf(key), fromHex(N), fromHex(P)))).toBe(mac);
});

it("EAX' refuses the cleartext that every key would accept", () => {
  for (const { N, C, mac } of file.eaxprime_weakness)
    for (const key of ["00".repeat(16), "0f".repeat(16)]) {
      const refused = expect.objectContaining({ code: "c1222.short-cleartext" });
      expect(() => openEaxPrime(keyOf(key), fromHex(N), fromHex(C + mac))).toThrow(refused);
      expect(() => sealEaxPrime(keyOf(key), fromHex(N), fromHex(C))).toThrow(refused);
      expect(() => macEaxPrime(keyOf(key), fromHex(N), fromHex(C))).toThrow(refused);
    }
});

describe.each(apdus)("APDU $id", ({ apdu }) => {
  const octets = fromHex(apdu);
  it("goes both ways", () => expect(toHex(encode(AContext, decode(AContext, octets)))).toBe(apdu));
  it("is refused when it is cut or has more", () => {
    for (let length = 0; length < octets.length; length++)
      expect(() => decode(AContext, octets.subarray(0, length)), `cut to ${length}`).toThrow(WireError);
    expect(() => decode(AContext, concat(octets, Uint8Array.of(0)))).toThrow(WireError);
  });
});

/** Each service of a payload, decoded and encoded again; all but one that ends early is refused. */
function checkServices(payload: Uint8Array, edClassIncluded: boolean, answers: boolean): readonly unknown[] {
  const value = readPayload(payload, edClassIncluded);
  expect(toHex(writePayload(value))).toBe(toHex(payload));
  return value.services.map((service) => {
    if (answers) {
      const response = decodeResponse(service.length > 1 ? "fullRead" : "wait", service);
      expect(toHex(encodeResponse(response))).toBe(toHex(service));
      return response;
    }
    const request = decodeRequest(service);
    expect(toHex(encodeRequest(request))).toBe(toHex(service));
    for (let length = 0; length < service.length; length++) {
      if (request.service === "security" && length === service.length - 2) continue; // without a user id: of a session
      expect(() => decodeRequest(service.subarray(0, length)), `cut to ${length}`).toThrow(WireError);
    }
    return request;
  });
}

describe.each(clear)("services of $id", ({ apdu }) => {
  it("go both ways, and no truncation passes", () => {
    const context = decode(AContext, fromHex(apdu));
    const opened = openApdu(context, () => undefined);
    if (opened.kind !== "opened") throw new Error("a clear APDU is open");
    checkServices(opened.payload, opened.control.edClassIncluded, context.calledApInvocationId !== undefined);
    const { callingAuthenticationValue: _, userInformation: __, ...envelope } = context;
    expect(toHex(clearApdu(envelope, opened.control, opened.payload))).toBe(apdu);
  });
});

describe.each(secured)("secured $id", ({ apdu, key, cleartext, plaintext }) => {
  const context = decode(AContext, fromHex(apdu));
  const authentication = authenticationValueOf(context.callingAuthenticationValue ?? new Uint8Array());
  it("has the canonical cleartext", () => expect(toHex(canonicalCleartext(context, authentication))).toBe(cleartext));
  it("opens to its payload, which goes both ways", () => {
    const opened = openApdu(context, () => keyOf(key));
    if (opened.kind !== "opened") throw new Error(opened.code);
    expect(toHex(opened.payload)).toBe(plaintext);
    checkServices(opened.payload, opened.control.edClassIncluded, false);
  });
  it("is made again from its parts", () => {
    const { callingAuthenticationValue, userInformation, ...envelope } = context;
    expect(toHex(authenticationValueContent(authentication))).toBe(
      toHex(callingAuthenticationValue ?? new Uint8Array()),
    );
    const control = decode(EpsemControl, userInformation.octetAligned.subarray(0, 1));
    expect(toHex(securedApdu(keyOf(key), authentication, envelope, control, fromHex(plaintext)))).toBe(apdu);
  });
  it("stays closed to another key, and when anything that is authenticated changes", () => {
    expect(openApdu(context, () => keyOf("aa".repeat(16))).kind).toBe("closed");
    expect(openApdu(context, () => undefined)).toMatchObject({ code: "c1222.unknown-key" });
    for (const changed of [
      { callingApTitle: ".9.9" },
      { calledApTitle: ".9.9" },
      { callingApInvocationId: Uint8Array.of(1, 1) },
      { callingAeQualifier: Uint8Array.of(1) },
      { calledApInvocationId: Uint8Array.of(1) },
    ])
      expect(openApdu({ ...context, ...changed }, () => keyOf(key))).toMatchObject({ code: "c1222.bad-mac" });
    expect(openApdu({ ...context, callingAuthenticationValue: undefined }, () => keyOf(key))).toMatchObject({
      code: "c1222.no-authentication-value",
    });
  });
});

describe("what the vectors mean", () => {
  const request = (id: string): Request => {
    const context = decode(AContext, fromHex(apdus.find((vector) => vector.id === id)?.apdu ?? ""));
    const opened = openApdu(context, () => undefined);
    if (opened.kind !== "opened") throw new Error("a clear APDU is open");
    const [first] = readPayload(opened.payload, opened.control.edClassIncluded).services;
    return decodeRequest(first ?? new Uint8Array());
  };
  it.each([
    ["clr-read-full-0", { service: "fullRead", tableId: 0 }],
    ["clr-read-offset", { service: "partialReadOffset", tableId: 23, offset: 16, octetCount: 32 }],
    ["clr-read-mfg-table", { service: "fullRead", tableId: 0x0800 }],
    ["clr-logon", { service: "logon", userId: 2, idleTimeout: 60 }],
    ["clr-security-sessionless+read", { service: "security", userId: 2 }],
    ["clr-write-offset", { service: "partialWriteOffset", tableId: 6, offset: 20, data: fromHex("58595a") }],
    ["clr-wait", { service: "wait", seconds: 30 }],
    [
      "clr-register",
      { service: "register", nodeType: 0x20, connectionType: 0x30, apTitle: ".500.2", registrationPeriod: 3600 },
    ],
  ])("%s", (id, value) => expect(request(id)).toMatchObject(value));
  it("a checksum that is wrong is refused", () =>
    expect(() => decodeRequest(fromHex("4000060003414243ff"))).toThrow(
      expect.objectContaining({ code: "wire.check" }),
    ));
});

it("titles go both ways", () => {
  for (const { tlv, relative } of file.oid.filter((row) => "relative" in row && !("base" in row))) {
    expect(decode(ApTitle, fromHex(tlv as string))).toBe(relative);
    expect(toHex(encode(ApTitle, relative as string))).toBe(tlv);
  }
  expect(toHex(encode(ApTitle, absoluteTitle(".23.273")))).toBe("060b607c86f754011600178211");
  expect(decode(ApTitle, fromHex("0d03178211"))).toBe(".23.273");
  for (const hex of ["0600", "80028001", "8002ff", "040117"])
    expect(() => decode(ApTitle, fromHex(hex))).toThrow(WireError);
});

it("checksums of table data", () => {
  for (const { data, checksum } of file.table_checksum)
    expect(tableChecksum(fromHex(data))).toBe(Number.parseInt(checksum, 16));
});

it("native addresses go both ways, and zeros that fill them up are passed over", () => {
  for (const { hex, decoded_length: length } of file.native_address as readonly {
    hex: string;
    decoded_length?: number;
  }[]) {
    const octets = fromHex(hex);
    expect(toHex(nativeAddressOctets(nativeAddressOf(octets)))).toBe(
      toHex(octets.subarray(0, length ?? octets.length)),
    );
  }
  expect(() => nativeAddressOf(fromHex("c00002"))).toThrow(WireError);
});

describe("segments", () => {
  const [{ full_apdu: full, segments }] = file.segmentation as [(typeof file.segmentation)[number]];
  const parts = segments.map((hex) => decode(AContext, fromHex(hex)));
  it("are cut as the published stack cuts them", () =>
    expect(segmentsOf(fromHex(full), 60).map(toHex)).toEqual(segments));
  it.each([
    ["in order", [0, 1, 2]],
    ["out of order", [2, 0, 1]],
    ["with duplicates", [1, 1, 0, 0, 2]],
  ])("are joined %s, once", (_, order) => {
    const reassembly = new Reassembly();
    const whole = [...order, 0, 1, 2].flatMap((index) => {
      const result = reassembly.push(0, parts[index]!);
      return result.kind === "whole" ? [toHex(result.apdu)] : [];
    });
    expect(whole).toEqual([full]);
  });
  it("that miss one never make a message, and are forgotten in time", () => {
    const reassembly = new Reassembly();
    expect([parts[0]!, parts[2]!].map((part) => reassembly.push(0, part).kind)).toEqual(["waiting", "waiting"]);
    expect(reassembly.push(60_000, parts[1]!).kind).toBe("waiting");
    expect(reassembly.pending).toBe(1);
  });
  it("that contradict each other are refused", () => {
    const reassembly = new Reassembly();
    reassembly.push(0, parts[0]!);
    const { userInformation } = parts[0]!;
    const octetAligned = userInformation.octetAligned.slice();
    octetAligned[5]! ^= 0xff;
    expect(reassembly.push(0, { ...parts[0]!, userInformation: { ...userInformation, octetAligned } })).toEqual({
      kind: "refused",
      responseCode: 0x12,
    });
  });
});
