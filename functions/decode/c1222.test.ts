import { describe, expect, it } from "vitest";
import { eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import file from "../../shared/c1222/vectors/c1222-vectors.json" with { type: "json" };
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { decodeApdu } from "./main.ts";

interface Vector {
  readonly id: string;
  readonly apdu: string;
  readonly key: string | null;
  readonly key_id: string | null;
}
const vectors = file.apdu as readonly Vector[];
const keysOf = ({ key, key_id: id }: Vector) =>
  key === null ? [] : [{ id: Number(id), key: eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(key))) }];
const vector = (id: string): Vector => {
  const found = vectors.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
};
type Printed = { readonly protocol: string; readonly layers: readonly Record<string, unknown>[] };
const printed = (of: Vector, keys = keysOf(of)): Printed => decodeApdu(of.apdu, keys).object as Printed;

describe("decode c1222", () => {
  it.each(vectors)("$id to its services", (one) => {
    const { protocol, layers } = printed(one);
    expect(protocol).toBe("c1222");
    expect(layers.map(({ layer }) => layer).slice(0, 2)).toEqual(["apdu", "epsem"]);
    expect(layers.slice(2).every(({ layer }) => layer === "service")).toBe(true);
    expect(layers.length).toBeGreaterThan(2);
    if (one.key !== null) expect(layers[1]).toMatchObject({ verified: true });
  });

  it("names what an APDU says", () => {
    expect(printed(vector("apdu-eaxp-tv1-rel")).layers).toEqual([
      {
        layer: "apdu",
        name: "AContext",
        calledApTitle: "2.16.124.113620.1.22.0.23.2",
        callingApTitle: "2.16.124.113620.1.22.0.23.273",
        callingAeQualifier: 4,
        callingApInvocationId: 2,
        callingAuthenticationValue: { keyId: 2, iv: 0x48e99388 },
      },
      {
        layer: "epsem",
        recoverySession: false,
        proxyServiceUsed: false,
        edClassIncluded: true,
        securityMode: 2,
        securityModeName: "ciphertextWithAuthentication",
        responseControl: 2,
        responseControlName: "never",
        verified: true,
        edClass: "54454d50",
      },
      {
        layer: "service",
        name: "fullWrite",
        code: 0x40,
        tableId: 7,
        data: "1a00000200",
        tableName: "ST7",
        checksum: 0xe4,
        procedure: { number: 26, manufacturer: false, selector: 0, sequence: 0, parameters: "0200" },
      },
    ]);
  });

  it("says why it does not decipher", () => {
    const one = vector("own-mode2-short");
    expect(printed(one, []).layers.at(-1)).toMatchObject({
      layer: "ciphered",
      reason: "no key with the id that the APDU names",
    });
    const wrong = { ...one, key: "ff".repeat(16) };
    expect(printed(one, keysOf(wrong)).layers.at(-1)).toMatchObject({
      layer: "ciphered",
      reason: "no key verifies the MAC",
    });
    const both = [...keysOf(wrong), ...keysOf(one)];
    expect(printed(one, both).layers.at(-1)).toMatchObject({ layer: "service", name: "fullRead", tableId: 1 });
  });

  it("answers and segments", () => {
    expect(printed(vector("clr-resp-nok-isc")).layers.at(-1)).toEqual({
      layer: "service",
      name: "response",
      code: 3,
      codeName: "isc",
    });
    expect(decodeApdu(file.segmentation[0]?.segments[1] ?? "", []).object).toMatchObject({
      layers: [{ calledAeQualifier: 137 }, { layer: "segment", offset: 60 }],
    });
  });

  it("malformed input is an error with its place", () => {
    for (const hex of ["6105", "60", "60ff", "zz", vector("clr-ident").apdu.slice(0, -2), ""])
      expect(decodeApdu(hex, [])).toMatchObject({ ok: false, object: { error: { offset: expect.any(Number) } } });
  });
});
