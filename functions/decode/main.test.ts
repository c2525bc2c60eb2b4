import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { protectApdu } from "../../shared/dlms/security/apdu-protection.ts";
import file from "../../shared/dlms/vectors/dlms-vectors.json" with { type: "json" };
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import type { Framing } from "./frame-layers.ts";
import { decodeFrame } from "./main.ts";
import type { Secrets } from "./secrets.ts";

const NONE: Secrets = { keys: [], authenticationKeys: [], dedicatedKeys: [], titles: [] };
const EK = "000102030405060708090A0B0C0D0E0F";
const AK = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";
const OTHER = nodeCrypto.secretKey(new Uint8Array(16));
const KNOWN: Secrets = {
  keys: [OTHER, nodeCrypto.secretKey(fromHex(EK))],
  authenticationKeys: [new Uint8Array(16), fromHex(AK)],
  dedicatedKeys: [],
  titles: [new Uint8Array(8), fromHex("4D4D4D0000BC614E"), fromHex("4844523030303031"), fromHex("4142434445464748")],
};
interface Object_ {
  readonly layers?: readonly { readonly layer: string; readonly name?: string }[];
  readonly error?: { readonly code: string; readonly offset: number };
}
const object = (hex: string, secrets: Secrets = NONE, framing?: Framing): Object_ =>
  decodeFrame(hex, framing, secrets).object as Object_;
const names = ({ layers }: Object_) => layers?.map(({ layer, name }) => (layer === "apdu" ? name : layer));

const vector = (id: string): Record<string, string> =>
  (file.vectors as unknown as readonly Record<string, string>[]).find((one) => one.id === id) ?? {};

describe("decode", () => {
  it("prints a wrapper and a GetRequest by the standard's names", () => {
    expect(object(vector("wrapper-get").hex as string)).toEqual({
      protocol: "dlms",
      layers: [
        { layer: "wrapper", version: 1, sourceWPort: 16, destinationWPort: 1, length: 13 },
        {
          layer: "apdu",
          name: "GetRequest",
          choice: "getRequestNormal",
          invokeIdAndPriority: 0xc1,
          invokeId: 1,
          serviceClass: 1,
          serviceClassName: "confirmed",
          priority: 1,
          priorityName: "high",
          cosemAttributeDescriptor: { classId: 1, instanceId: "0.0.42.0.0.255", attributeId: 2 },
        },
      ],
    });
  });

  it.each<readonly [string, string, object]>([
    [
      "an error result with its name",
      "C401C10103",
      { result: { dataAccessResult: 3, dataAccessResultName: "read-write-denied" } },
    ],
    [
      "Data by type and value",
      "C401C1000600000F23",
      { result: { data: { type: "double-long-unsigned", value: 3875 } } },
    ],
    [
      "64 bits beyond 2^53 as text",
      "C401C10015FFFFFFFFFFFFFFFF",
      { result: { data: { type: "long64-unsigned", value: "18446744073709551615" } } },
    ],
    [
      "64 bits within 2^53 as a number",
      "C401C100150000000000000005",
      { result: { data: { type: "long64-unsigned", value: 5 } } },
    ],
    ["a bit-string as bits", "C401C100040AFF40", { result: { data: { type: "bit-string", value: "1111111101" } } }],
    [
      "results of a list with their names",
      "C505C1020003",
      { result: [0, 3], resultName: ["success", "read-write-denied"] },
    ],
    ["an action's result", "C701C10C00", { singleResponse: { result: 12, resultName: "type-unmatched" } }],
    [
      "an exception with the counter expected",
      "D8010600000131",
      {
        stateErrorName: "service-not-allowed",
        serviceErrorName: "invocation-counter-error",
        invocationCounterError: 305,
      },
    ],
    [
      "a conformance block",
      "01000000065F1F0400007E1F04B0",
      { name: "InitiateRequest", proposedConformance: "007e1f", clientMaxReceivePduSize: 1200 },
    ],
    [
      "variables by short name, each by its alternative",
      "0503020100040108011101050002",
      {
        name: "ReadRequest",
        variableAccessSpecification: [
          { variableName: 0x0100 },
          { parameterizedAccess: { variableName: 0x0108, selector: 1, parameter: { type: "unsigned", value: 1 } } },
          { blockNumberAccess: { blockNumber: 2 } },
        ],
      },
    ],
    [
      "results by short name",
      "0c0300110501040201000101aa",
      {
        name: "ReadResponse",
        result: [
          { data: { type: "unsigned", value: 5 } },
          { dataAccessError: 4, dataAccessErrorName: "object-undefined" },
          { dataBlockResult: { lastBlock: true, blockNumber: 1, rawData: "aa" } },
        ],
      },
    ],
    [
      "a write in blocks",
      "0601070100010109020aff",
      {
        variableAccessSpecification: [{ writeDataBlockAccess: { lastBlock: true, blockNumber: 1 } }],
        listOfData: [{ type: "octet-string", value: "0aff" }],
      },
    ],
    [
      "what became of writes",
      "0d030001030203e8",
      {
        result: [
          { success: null },
          { dataAccessError: 3, dataAccessErrorName: "read-write-denied" },
          { blockNumber: 1000 },
        ],
      },
    ],
    [
      "a write that nobody answers",
      "160102010801110a",
      { name: "UnconfirmedWriteRequest", listOfData: [{ type: "unsigned", value: 10 }] },
    ],
    [
      "an information report",
      "18000102010801110a",
      { name: "InformationReportRequest", variableAccessSpecification: [{ variableName: 0x0108 }] },
    ],
    [
      "a confirmed service error, its code by its category",
      "0e050302",
      { confirmedServiceErrorName: "read", serviceErrorName: "service", value: 2, valueName: "service-unsupported" },
    ],
    [
      "the confirmation of a notification",
      "104000000500",
      { name: "DataNotificationConfirm", invokeId: 5, serviceClassName: "confirmed", dateTime: "" },
    ],
    ["the reason of a release", "6203800100", { name: "RLRQ", reason: 0, reasonName: "normal" }],
    [
      "a block",
      "C402C10000000001000401020304",
      {
        choice: "getResponseWithDatablock",
        result: { lastBlock: false, blockNumber: 1, result: { rawData: "01020304" } },
      },
    ],
  ])("prints %s", (_, hex, expected) => {
    expect(object(hex).layers?.at(-1)).toMatchObject(expected);
  });

  it("prints one value of Data", () => {
    expect(object("02030903010203120102", NONE, "data")).toHaveProperty("error");
    expect(object("131206000100020003", NONE, "data")).toEqual({
      protocol: "dlms",
      layers: [
        {
          layer: "data",
          type: "compact-array",
          typeDescription: { type: "long-unsigned" },
          value: [1, 2, 3].map((value) => ({ type: "long-unsigned", value })),
        },
      ],
    });
  });

  it("opens what its keys open, trying each key and title", () => {
    const sealed = object(vector("gcm-suite0-get-authenc").apdu as string, KNOWN);
    expect(names(sealed)).toEqual(["GloGetRequest", "GetRequest"]);
    expect(sealed.layers?.[0]).toMatchObject({
      invocationCounter: 0x01234567,
      systemTitle: "4d4d4d0000bc614e",
      verified: true,
    });
    expect(names(object(vector("gcm-suite0-get-auth-only").apdu as string, KNOWN))).toEqual([
      "GloGetRequest",
      "GetRequest",
    ]);
    const encrypted = object(vector("gcm-suite0-get-enc-only").apdu as string, KNOWN);
    expect(names(encrypted)).toEqual(["GloGetRequest", "GetRequest"]);
    expect(encrypted.layers?.[0]).toMatchObject({ verified: false });
  });

  it.each([
    ["05", "GloReadRequest", "DedReadRequest", "050102fa08"],
    ["18", "GloInformationReportRequest", "DedInformationReportRequest", "18000102010801110a"],
    ["c2", "GloEventNotificationRequest", "DedEventNotificationRequest", "c20000030100010800ff021101"],
    ["0e", "GloConfirmedServiceError", "DedConfirmedServiceError", "0e050302"],
  ])("opens glo- and ded- %s", (_, global, dedicated, hex) => {
    const keys = { encryption: nodeCrypto.secretKey(fromHex(EK)), authentication: fromHex(AK) };
    const sender = { systemTitle: fromHex("4D4D4D0000BC614E"), invocationCounter: 7 };
    for (const [scope, name] of [
      ["global", global],
      ["dedicated", dedicated],
    ] as const) {
      const dress = { form: "service-specific", scope, securityControl: 0x30 } as const;
      const sealed = toHex(protectApdu(nodeCrypto, keys, dress, sender, fromHex(hex)));
      const opened = object(sealed, { ...KNOWN, dedicatedKeys: [keys.encryption] });
      expect(names(opened)?.[0]).toBe(name);
      expect(opened.layers).toHaveLength(2);
    }
  });

  it("says why what is ciphered stays so", () => {
    const reason = (secrets: Secrets) =>
      object(vector("gcm-suite0-get-authenc").apdu as string, secrets).layers?.at(-1);
    expect(reason(NONE)).toEqual({ layer: "ciphered", reason: "no encryption key given" });
    expect(reason({ ...KNOWN, authenticationKeys: [] })).toMatchObject({ reason: "no authentication key given" });
    expect(reason({ ...KNOWN, titles: [] })).toMatchObject({ reason: "no system title of the sender given" });
    expect(reason({ ...KNOWN, keys: [OTHER] })).toMatchObject({ layer: "ciphered" });
    const changed = object(vector("neg-gcm-tag").hex as string, KNOWN);
    expect(changed.layers?.at(-1)).toMatchObject({ layer: "ciphered" });
  });

  it("parses general-ciphering and leaves its content closed without its key", () => {
    const { layers } = object(vector("gb-general-ciphering-access-one-pass").apdu as string, KNOWN);
    expect(layers).toMatchObject([
      {
        name: "GeneralCiphering",
        originatorSystemTitle: "4d4d4d0000bc614e",
        keyInfo: { agreedKey: { keyParameters: "01" } },
      },
      { layer: "ciphered" },
    ]);
  });

  it("deciphers general-ciphering under the agreed key, and says that its tag does not verify", () => {
    const { apdu, key } = vector("gb-general-ciphering-access-one-pass");
    const agreed = { ...KNOWN, keys: [nodeCrypto.secretKey(fromHex(key as string))] };
    expect(object(apdu as string, agreed).layers).toMatchObject([
      { name: "GeneralCiphering", verified: false },
      { name: "AccessRequest" },
    ]);
  });

  it("tells what a UA grants", () => {
    const { layers } = object("7EA01E2303737BCF818012050180060180070400000001080400000001533B7E", KNOWN);
    expect(layers).toMatchObject([
      { layer: "hdlc", controlName: "UA", parameters: { transmitMax: 128, receiveMax: 128, transmitWindow: 1 } },
    ]);
  });

  it.each([
    ["C001C1000100002A00", "wire.truncated", 5],
    ["C001C1000100002A0000FF0200FF", "wire.left-over", 13],
    ["000200100001000DC001C1000100002A0000FF0200", "wire.tag", 0],
    ["000100100001000DC009C1000100002A0000FF0200", "wire.tag", 9],
    ["7EA01A02232110E670E6E700C001C1000100002A0000FF020012807E", "wire.check", 25],
    ["C8021E30", "wire.truncated", 4],
    ["", "wire.truncated", 0],
    ["C0x1", "wire.value", 1],
  ])("refuses %s and tells where", (hex, code, offset) => {
    expect(decodeFrame(hex, undefined, KNOWN)).toMatchObject({ ok: false, object: { error: { code, offset } } });
  });

  it.each(file.sessions.map(({ name, messages }) => ({ name, messages: messages as readonly { hex?: string }[] })))(
    "goes to the bottom of the recorded session $name",
    ({ messages }) => {
      for (const { hex } of messages) {
        if (hex === undefined) continue;
        const { layers } = object(hex, KNOWN);
        expect(layers?.some(({ layer }) => layer === "ciphered")).toBe(false);
      }
    },
  );
});

describe("the command", () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const run = (args: readonly string[], input = "") =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const child = execFile(process.execPath, [main, ...args], (_, out, err) =>
        resolve({ code: child.exitCode, out, err }),
      );
      child.stdin?.end(input);
    });

  it("reads one frame a line and answers one object a line, exit 2 when one was malformed", async () => {
    const { code, out } = await run(["dlms", "-"], "C002C100000002\n\nC002C1\n6200\n");
    expect(code).toBe(2);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Object_);
    expect(lines.map((line) => line.error?.code ?? line.layers?.[0]?.name)).toEqual([
      "GetRequest",
      "wire.truncated",
      "RLRQ",
    ]);
  });
  it("opens a frame with keys from the command line, and never prints them", async () => {
    const secrets = ["--key", "00".repeat(16), "--key", EK, "--auth-key", AK, "--title", "4D4D4D0000BC614E"];
    const { code, out, err } = await run(["dlms", ...secrets, vector("gcm-suite0-get-authenc").apdu as string]);
    expect(code).toBe(0);
    expect(names(JSON.parse(out) as Object_)).toEqual(["GloGetRequest", "GetRequest"]);
    expect((out + err).toUpperCase()).not.toContain(EK);
    const wrong = await run(["dlms", "--key", "abc", "6200"]);
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toContain("--key: expected 32 or 64 hex digits");
  });
  it("explains itself", async () => {
    expect(await run(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("--dedicated-key") });
    expect((await run(["dlms"])).code).toBe(2);
  });
});
