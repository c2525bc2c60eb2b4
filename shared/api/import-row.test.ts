import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { fromHex, toHex } from "../ports/octets.ts";
import { type Cells, readRow, refusedRow } from "./import-row.ts";

const kek = fromHex("000102030405060708090a0b0c0d0e0f");
const key = fromHex("00112233445566778899aabbccddeeff");
const open = new Map([["k1", kek]]);
const wrapped = toHex(nodeCrypto.wrapKey(kek, key));

const good: Cells = {
  meterId: "M-1",
  serial: "S1",
  commodity: "electric",
  profile: "generic-eu",
  systemTitle: "4852440000000001",
  host: "10.0.0.1",
  port: "4059",
  groups: "north;pilot",
  latitude: "47.1",
  longitude: "8.5",
  transportKey: "k1",
  unicastKey: wrapped,
  authenticationKey: wrapped,
};
const read = (cells: Cells) => readRow(nodeCrypto, 7, cells, open);

describe("a row of an import", () => {
  it("is a meter with its keys unwrapped", () => {
    expect(wrapped).toBe("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"); // RFC 3394 section 4.1
    expect(read(good)).toMatchObject({
      kind: "request",
      request: {
        meterId: "M-1",
        routes: [{ kind: "dial", host: "10.0.0.1", port: 4059, transport: "tcp" }],
        memberships: { groups: ["north", "pilot"] },
        location: { latitude: 47.1, longitude: 8.5 },
        keys: { unicast: toHex(key), authentication: toHex(key) },
      },
    });
  });

  it("unwraps an LLS secret with its length", () => {
    const secret = nodeCrypto.wrapKey(kek, fromHex("0831323334353637380000000000000000000000000000000000000000000000"));
    const outcome = read({ ...good, llsSecret: toHex(secret) });
    expect(outcome).toMatchObject({ request: { keys: { llsSecret: "3132333435363738" } } });
  });

  it("without host is a meter that holds its own connection", () => {
    const { host: _, port: __, ...rest } = good;
    expect(read(rest)).toMatchObject({ request: { routes: [{ kind: "attached" }] } });
  });

  it("with relays is a meter in the last one's branch, at the first one's address", () => {
    const { systemTitle: _, ...rest } = good;
    expect(read({ ...rest, relay: ".30;.31", systemTitle: ".30.1", profile: "generic-us" })).toMatchObject({
      request: { routes: [{ kind: "relay", host: "10.0.0.1", port: 4059, transport: "tcp", path: [".30", ".31"] }] },
    });
  });

  const otherKek = fromHex("ff0102030405060708090a0b0c0d0e0f");
  const spoiled: readonly (readonly [string, Cells, string, string | undefined])[] = [
    ["no meter id", { meterId: "" }, "meterId", "nothing"],
    ["a commodity that is none", { commodity: "heat" }, "commodity", "heat"],
    ["a title that is no hex", { systemTitle: "?!" }, "systemTitle", "?!"],
    ["relays without a host", { relay: ".30", host: "" }, "host", "nothing"],
    ["a relay that has no ApTitle", { relay: "north" }, "relay", "north"],
    ["a port that is no number", { port: "?!" }, "port", "?!"],
    ["a port beyond 65535", { port: "65536" }, "port", "65536"],
    ["a host that is none", { host: "?!" }, "host", "?!"],
    ["an address beyond 255", { host: "10.0.0.999" }, "host", "10.0.0.999"],
    ["a latitude beyond 90", { latitude: "91" }, "latitude", "91"],
    ["half a location", { longitude: "" }, "longitude", "nothing"],
    ["an unknown transport", { transport: "sms" }, "transport", "sms"],
    ["an unknown transport key", { transportKey: "k2" }, "transportKey", "k2"],
    ["a key that is no hex", { unicastKey: "secret" }, "unicastKey", undefined],
    [
      "a key under another transport key",
      { unicastKey: toHex(nodeCrypto.wrapKey(otherKek, key)) },
      "unicastKey",
      undefined,
    ],
    ["a key of 24 octets", { unicastKey: toHex(nodeCrypto.wrapKey(kek, new Uint8Array(24))) }, "unicastKey", undefined],
    [
      "a secret without length",
      { llsSecret: toHex(nodeCrypto.wrapKey(kek, new Uint8Array(16))) },
      "llsSecret",
      undefined,
    ],
  ];
  it.each(spoiled)("with %s is rejected by row, column and expectation", (_, cells, column, received) => {
    const outcome = read({ ...good, ...cells });
    expect(outcome).toMatchObject({ kind: "rejected", errors: [{ row: 7, column }] });
    const [error] = outcome.kind === "rejected" ? outcome.errors : [];
    expect(error?.received).toBe(received);
    expect(error?.expected.length).toBeGreaterThan(3);
    expect(outcome).toHaveProperty("errors.length", 1);
  });

  it("names every wrong column once", () => {
    const outcome = read({ ...good, port: "x", commodity: "x", unicastKey: "x" });
    const columns = outcome.kind === "rejected" ? outcome.errors.map((error) => error.column) : [];
    expect(columns.sort()).toEqual(["commodity", "port", "unicastKey"]);
  });

  it("shows a refusal of the registry under its column, never a key", () => {
    const refusal = { field: "keys.unicast", expected: "the key that M-1 is enrolled with" };
    expect(refusedRow(3, refusal, good)).toEqual({ row: 3, column: "unicastKey", expected: refusal.expected });
    expect(refusedRow(3, { field: "memberships.groups", expected: "x" }, good)).toMatchObject({ column: "groups" });
    expect(refusedRow(3, { field: "routes", expected: "x" }, good)).toMatchObject({
      column: "host",
      received: "10.0.0.1",
    });
  });
});
