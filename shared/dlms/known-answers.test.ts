import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { concat, fromHex, toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { type Apdu, decodeApdu, encodeApdu } from "./apdu.ts";
import { DataCodec } from "./data.ts";
import { protectApdu, protectedApdu } from "./security/apdu-protection.ts";
import { GeneralCiphering } from "./security/ciphered-apdu.ts";
import { proveGmac, verifyGmac } from "./security/hls-gmac.ts";
import { openContent } from "./security/protection.ts";
import { entriesOf, rangeOf } from "./selective-access.ts";
import file from "./vectors/dlms-vectors.json" with { type: "json" };
import { Wrapper } from "./wrapper.ts";

type Vector = { readonly id: string; readonly kind: string; readonly hex?: string; readonly [field: string]: unknown };
const vectors = file.vectors as unknown as readonly Vector[];
const ofKind = (...kinds: readonly string[]) => vectors.filter((vector) => kinds.includes(vector.kind));
const vector = (id: string): Readonly<Record<string, string>> => {
  const found = vectors.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found as unknown as Readonly<Record<string, string>>;
};

/** Decodes, encodes to the same octets, and refuses every truncation. */
function checkBothWays(octets: Uint8Array): Apdu {
  const apdu = decodeApdu(octets);
  expect(toHex(encodeApdu(apdu))).toBe(toHex(octets));
  for (let length = 0; length < octets.length; length++)
    expect(() => decodeApdu(octets.subarray(0, length)), `cut to ${length}`).toThrow(WireError);
  expect(() => decodeApdu(concat(octets, Uint8Array.of(0)))).toThrow(
    expect.objectContaining({ code: "wire.left-over" }),
  );
  return apdu;
}

describe.each(
  ofKind("apdu")
    .filter(({ id }) => id !== "wrapper-get" && id !== "compact-array-u16")
    .map(({ id, hex }) => ({ id, hex: hex as string })),
)("APDU $id", ({ hex }) => {
  it("goes both ways, and no truncation passes", () => {
    checkBothWays(fromHex(hex));
  });
});

describe("what the vectors mean", () => {
  const value = (id: string) => decodeApdu(fromHex(vector(id).hex as string));

  it.each([
    [
      "get-response-error",
      { name: "GetResponse", value: { result: { kind: "dataAccessResult", dataAccessResult: 3 } } },
    ],
    ["get-request-next", { name: "GetRequest", value: { kind: "next", blockNumber: 2 } }],
    [
      "get-response-block",
      { value: { result: { lastBlock: false, blockNumber: 1, result: { rawData: Uint8Array.of(1, 2, 3, 4) } } } },
    ],
    [
      "get-with-list",
      {
        value: {
          attributeDescriptorList: [
            { cosemAttributeDescriptor: { classId: 8, instanceId: "0.0.1.0.0.255", attributeId: 2 } },
            { cosemAttributeDescriptor: { classId: 3, instanceId: "1.0.1.8.0.255", attributeId: 2 } },
          ],
        },
      },
    ],
    [
      "set-normal-u16",
      {
        value: {
          value: {
            type: "structure",
            value: [
              { type: "integer", value: 3 },
              { type: "enum", value: 30 },
            ],
          },
        },
      },
    ],
    [
      "action-disconnect",
      { value: { cosemMethodDescriptor: { classId: 70, instanceId: "0.0.96.3.10.255", methodId: 1 } } },
    ],
    ["action-response-ok", { value: { singleResponse: { result: 0, returnParameters: undefined } } }],
    ["exception-ic", { value: { stateError: 1, serviceError: 6, invocationCounterError: 305 } }],
    ["gbt-first", { value: { lastBlock: true, streaming: false, window: 1, blockNumber: 1, blockNumberAck: 0 } }],
    ["initiate-request", { value: { proposedConformance: 0x007e1f, clientMaxReceivePduSize: 1200 } }],
    ["initiate-response", { value: { negotiatedConformance: 0x007c1f, serverMaxReceivePduSize: 1024, vaaName: 7 } }],
    ["gb-access-request", { value: { longInvokeIdAndPriority: 0x4000_0000 } }],
  ])("%s", (id, meaning) => {
    expect(value(id)).toMatchObject(meaning);
  });

  it("reads the range and the entries of selective access", () => {
    const range = value("range-access");
    if (range.name !== "GetRequest" || range.value.kind !== "normal" || !range.value.accessSelection) throw new Error();
    expect(rangeOf(range.value.accessSelection)).toMatchObject({
      restrictingObject: { classId: 8, logicalName: "0.0.1.0.0.255", attributeIndex: 2, dataIndex: 0 },
      fromValue: { type: "octet-string", value: fromHex("07E8010101000000FF800000") },
      selectedValues: [],
    });
    const entry = value("entry-access");
    if (entry.name !== "GetRequest" || entry.value.kind !== "normal" || !entry.value.accessSelection) throw new Error();
    expect(entriesOf(entry.value.accessSelection)).toEqual({
      fromEntry: 1,
      toEntry: 100,
      fromSelectedValue: 1,
      toSelectedValue: 0,
    });
  });

  it("reads the compact-array as described", () => {
    const octets = fromHex(vector("compact-array-u16").hex as string);
    const data = decode(DataCodec, octets);
    expect(data).toEqual({
      type: "compact-array",
      value: {
        description: { type: "long-unsigned" },
        elements: [1, 2, 3].map((value) => ({ type: "long-unsigned", value })),
      },
    });
    expect(encode(DataCodec, data)).toEqual(octets);
  });

  it("reads pushes in every dress seen on meters", () => {
    for (const { hex } of vector("push-variants").items as unknown as readonly { hex: string }[])
      expect(checkBothWays(fromHex(hex)).name).toBe("DataNotification");
  });

  it("joins the blocks of the general-block-transfer scenario", () => {
    const { steps, expectApdu } = vector("gbt-lost-block-scenario") as unknown as {
      steps: readonly { from: string; hex: string }[];
      expectApdu: string;
    };
    const blocks = new Map<number, Uint8Array>();
    for (const step of steps) {
      const apdu = checkBothWays(fromHex(step.hex));
      if (apdu.name === "GeneralBlockTransfer" && step.from === "server")
        blocks.set(apdu.value.blockNumber, apdu.value.blockData);
    }
    expect(toHex(concat(...blocks.values()))).toBe(expectApdu.toLowerCase());
  });
});

describe.each(ofKind("aes-gcm-apdu").map((one) => ({ ...(one as unknown as Record<string, string>) })))(
  "suite 0, $id",
  ({ SC, EK, AK, systemTitle, IC, plain, apdu }) => {
    const keys = { encryption: nodeCrypto.secretKey(fromHex(EK as string)), authentication: fromHex(AK as string) };
    const title = fromHex(systemTitle as string);
    const octets = fromHex(apdu as string);
    const securityControl = Number.parseInt(SC as string, 16);

    it("seals to the published octets", () => {
      const dress = { form: "service-specific", scope: "global", securityControl } as const;
      const sender = { systemTitle: title, invocationCounter: Number.parseInt(IC as string, 16) };
      expect(protectApdu(nodeCrypto, keys, dress, sender, fromHex(plain as string))).toEqual(octets);
    });
    it("opens to the published APDU, and tells control and counter", () => {
      const found = protectedApdu(octets);
      expect(found).toMatchObject({ form: "service-specific", scope: "global", plainTag: fromHex(plain as string)[0] });
      expect(openContent(nodeCrypto, keys, title, (found as { content: Uint8Array }).content)).toEqual({
        kind: "opened",
        securityControl,
        invocationCounter: 0x01234567,
        apdu: fromHex(plain as string),
      });
    });
    it("refuses every truncation", () => {
      for (let length = 0; length < octets.length; length++)
        expect(() => {
          if (protectedApdu(octets.subarray(0, length)) === undefined)
            throw new WireError("wire.truncated", "nothing", 0);
        }).toThrow(WireError);
    });
  },
);

describe("protection", () => {
  it("refuses a changed tag", () => {
    const keys = {
      encryption: nodeCrypto.secretKey(fromHex("000102030405060708090A0B0C0D0E0F")),
      authentication: fromHex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
    };
    const found = protectedApdu(fromHex(vector("neg-gcm-tag").hex as string));
    expect(openContent(nodeCrypto, keys, fromHex("4D4D4D0000BC614E"), found?.content ?? new Uint8Array())).toEqual({
      kind: "refused",
      because: "bad-tag",
    });
  });

  it("parses general-ciphering with agreed keys and deciphers its content", () => {
    const known = vector("gb-general-ciphering-access-one-pass");
    const octets = fromHex(known.apdu as string);
    const value = decode(GeneralCiphering, octets);
    expect(encode(GeneralCiphering, value)).toEqual(octets);
    expect(toHex(value.originatorSystemTitle)).toBe("4d4d4d0000bc614e");
    expect(value.keyInfo).toMatchObject({ kind: "agreedKey", keyParameters: Uint8Array.of(1) });
    for (let length = 0; length < octets.length; length++)
      expect(() => decode(GeneralCiphering, octets.subarray(0, length))).toThrow(WireError);
    const key = nodeCrypto.secretKey(fromHex(known.key as string));
    const payload = value.cipheredContent.subarray(5, -12);
    const plain = nodeCrypto.gcmSeal(key, fromHex(known.iv as string), new Uint8Array(), payload, 12);
    expect(toHex(plain.subarray(0, payload.length))).toBe((known.plain as string).toLowerCase());
  });
});

describe.each(ofKind("hls-gmac").map((one) => ({ ...(one as unknown as Record<string, string>) })))(
  "HLS-GMAC, $id",
  ({ EK, AK, systemTitle, IC, challenge, fChallenge }) => {
    const keys = { encryption: nodeCrypto.secretKey(fromHex(EK as string)), authentication: fromHex(AK as string) };
    const title = fromHex(systemTitle as string);
    const counter = Number.parseInt(IC as string, 16);
    const proof = fromHex(fChallenge as string);

    it("proves and verifies", () => {
      const sender = { systemTitle: title, invocationCounter: counter };
      expect(proveGmac(nodeCrypto, keys, sender, fromHex(challenge as string))).toEqual(proof);
      expect(verifyGmac(nodeCrypto, keys, title, fromHex(challenge as string), proof)).toBe(counter);
    });
    it("refuses a proof with any octet changed or cut off", () => {
      for (let index = 0; index < proof.length; index++) {
        const changed = Uint8Array.from(proof);
        changed[index] = (changed[index] as number) ^ 1;
        expect(verifyGmac(nodeCrypto, keys, title, fromHex(challenge as string), changed)).toBeUndefined();
        expect(
          verifyGmac(nodeCrypto, keys, title, fromHex(challenge as string), proof.subarray(0, index)),
        ).toBeUndefined();
      }
    });
  },
);

describe.each(
  (ofKind("negative") as unknown as readonly Record<string, string>[])
    .filter(({ layer }) => layer !== "hdlc" && layer !== "apdu+keys")
    .map((one) => ({ ...one })),
)("negative: $id ($why)", ({ layer, hex }) => {
  it("is refused", () => {
    const octets = fromHex(hex as string);
    expect(() =>
      layer === "wrapper" ? decode(Wrapper, octets) : layer === "data" ? decode(DataCodec, octets) : decodeApdu(octets),
    ).toThrow(WireError);
  });
});

interface Message {
  readonly from?: string;
  readonly hex?: string;
  readonly plain?: string;
  readonly expect?: { readonly src?: number; readonly dst?: number; readonly info?: string; readonly llc?: string };
}
interface Session {
  readonly name: string;
  readonly framing: string;
  readonly keys: { readonly EK: string; readonly AK: string; readonly clientSystemTitle: string } | null;
  readonly serverSystemTitle: string;
  readonly messages: readonly Message[];
}
describe.each((file.sessions as unknown as readonly Session[]).map((session) => ({ ...session })))(
  "recorded session $name",
  ({ framing, keys, serverSystemTitle, messages }) => {
    const apdus = messages.flatMap((message) => {
      if (message.hex === undefined) return [];
      if (framing === "hdlc")
        return message.expect?.llc === undefined
          ? []
          : [{ ...message, apdu: fromHex(message.expect.info as string).subarray(3) }];
      const pdu = decode(Wrapper, fromHex(message.hex));
      expect(pdu).toMatchObject({ sourceWPort: message.expect?.src, destinationWPort: message.expect?.dst });
      return [{ ...message, apdu: pdu.apdu }];
    });

    it("goes both ways, message by message", () => {
      expect(apdus.length).toBeGreaterThan(4);
      for (const { apdu } of apdus) if (protectedApdu(apdu) === undefined) checkBothWays(apdu);
    });

    if (keys === null) return;
    it("is opened under the sender's title", () => {
      const cipher = { encryption: nodeCrypto.secretKey(fromHex(keys.EK)), authentication: fromHex(keys.AK) };
      let opened = 0;
      for (const { apdu, plain, from } of apdus) {
        if (plain === undefined) continue;
        const title = fromHex(from === "client" ? keys.clientSystemTitle : serverSystemTitle);
        const clear = protectedApdu(apdu) === undefined ? decodeApdu(apdu) : undefined;
        const inside =
          clear?.name === "AARQ" || clear?.name === "AARE" ? (clear.value.userInformation as Uint8Array) : apdu;
        const found = protectedApdu(inside);
        if (found?.systemTitle !== undefined) expect(found.systemTitle).toEqual(title);
        const result = openContent(nodeCrypto, cipher, title, found?.content as Uint8Array);
        expect(result).toMatchObject({ kind: "opened", apdu: fromHex(plain) });
        checkBothWays(fromHex(plain));
        opened++;
      }
      expect(opened).toBeGreaterThan(6);
    });
  },
);
