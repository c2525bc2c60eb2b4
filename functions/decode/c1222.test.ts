import { describe, expect, it } from "vitest";
import { NO_ELEMENTS } from "../../shared/c1222/a-context.ts";
import { epsemControl, writePayload } from "../../shared/c1222/epsem.ts";
import { eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import { clearApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { encodeRequest } from "../../shared/c1222/services/request.ts";
import file from "../../shared/c1222/vectors/c1222-vectors.json" with { type: "json" };
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
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
        procedure: {
          number: 26,
          numberName: "exceptionReport",
          manufacturer: false,
          selector: 0,
          sequence: 0,
          parameters: "0200",
        },
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

  it("names tables, and what is in them where the table tells by itself", () => {
    const written = (tableId: number, data: string) => {
      const payload = writePayload({
        edClass: undefined,
        services: [encodeRequest({ service: "fullWrite", tableId, data: fromHex(data) })],
      });
      const envelope = { ...NO_ELEMENTS, callingApInvocationId: Uint8Array.of(1) };
      const apdu = clearApdu(envelope, epsemControl({}), payload);
      return (decodeApdu(toHex(apdu), []).object as Printed).layers.at(-1);
    };
    expect(written(52, "00c8d16714")).toMatchObject({
      tableName: "ST52",
      tableTitle: "CLOCK_TBL",
      table: { CLOCK_CALENDAR: 0x67d1c800 * 1000, TIME_DATE_QUAL: { DAY_OF_WEEK: 4, GMT_FLAG: true } },
    });
    // How it is laid out tells table 21; how event logs are, one source alone.
    for (const id of [23, 76]) expect(written(id, "00".repeat(9))).not.toHaveProperty("table");
    expect(written(8, "0900210007")).toMatchObject({
      procedure: { number: 9, numberName: "remoteReset", resultCode: 0, resultCodeName: "completed", data: "07" },
    });
    expect(written(2053, "01")).toMatchObject({ tableName: "MT5", data: "01" });
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
