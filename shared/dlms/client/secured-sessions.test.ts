import { describe, expect, it } from "vitest";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Curve, PrivateKey } from "../../ports/crypto.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex, toHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import type { Data } from "../data.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { digestHls } from "../security/hls.ts";
import { policyOfBits } from "../security/security-policy.ts";
import { SUITES } from "../security/security-suite.ts";
import { dataResult } from "../server/cosem-object.ts";
import type { ClientSecurity, HlsSecurity } from "../server/logical-device.ts";
import { Wrapper } from "../wrapper.ts";
import {
  access,
  CLIENT_TITLE,
  contextOf,
  countersFrom,
  deviceOf,
  loopback,
  profileOf,
  type Wire,
} from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

type Access = DlmsProfile["dlms"]["access"];
const filled = (octets: number, fill: number): string => toHex(new Uint8Array(octets).fill(fill));
const privateKey = (curve: Curve, fill: number): PrivateKey => {
  const key = nodeCrypto.privateKey(curve, fromHex(filled(curve === "P-256" ? 32 : 48, fill)));
  if (key === undefined) throw new Error("no scalar");
  return key;
};
const NOTE = "0.0.96.13.0.255";
const note = attributeOf(DataObject, DataObject.attributes.value, NOTE);
const octets = (length: number): Data => ({ type: "octet-string", value: new Uint8Array(length).fill(0x33) });
const SECRET = "0102030405060708090a";

function setUp(part: Partial<Access>, held: { readonly secret?: string; readonly policy?: number } = {}) {
  const wanted = access(part);
  const suite = wanted.securitySuite;
  const { keyOctets, curve } = SUITES[suite];
  const point = (fill: number) => curve && toHex(nodeCrypto.publicKeyOf(privateKey(curve, fill)));
  const size = curve === "P-384" ? 48 : 32;
  const keys = {
    unicast: filled(keyOctets, 1),
    authentication: filled(keyOctets, 2),
    hlsSecret: SECRET,
    master: filled(keyOctets, 3),
    ...(curve && {
      clientSigning: filled(size, 4),
      clientAgreement: filled(size, 5),
      meterSigning: point(6),
      meterAgreement: point(7),
    }),
  };
  const bits = held.policy ?? wanted.securityPolicy;
  const common: HlsSecurity = {
    ciphered: wanted.ciphering !== "none",
    clientSystemTitle: CLIENT_TITLE,
    keys: { encryption: nodeCrypto.secretKey(fromHex(keys.unicast)), authentication: fromHex(keys.authentication) },
    counters: countersFrom(undefined),
    suite,
    ...(bits !== undefined && { policy: policyOfBits(bits) }),
    secrets: {
      masterKey: fromHex(keys.master),
      ...(curve && {
        ownSigning: privateKey(curve, 6),
        ownAgreement: privateKey(curve, 7),
        peerSigning: nodeCrypto.publicKeyOf(privateKey(curve, 4)),
        peerAgreement: nodeCrypto.publicKeyOf(privateKey(curve, 5)),
      }),
    },
  };
  const hlsSecret = fromHex(held.secret ?? SECRET);
  const mechanism = wanted.authentication;
  const security: ClientSecurity =
    mechanism === "hls-md5" || mechanism === "hls-sha1" || mechanism === "hls-sha256"
      ? { ...common, mechanism, hlsSecret }
      : mechanism === "hls-manufacturer"
        ? { ...common, mechanism, hls: digestHls(nodeCrypto, "sha1", hlsSecret) }
        : { ...common, mechanism: mechanism === "hls-ecdsa" ? mechanism : "hls-gmac" };
  const memory = { note: octets(3) };
  const objects = [
    {
      classId: 1,
      version: 0,
      logicalName: NOTE,
      attributes: {
        2: {
          get: () => dataResult(memory.note),
          set: (data: Data) => {
            memory.note = data;
            return 0;
          },
        },
      },
    },
  ];
  const device = deviceOf(objects, wanted, {
    clients: new Map([[wanted.clientSap, { security, objects: () => objects, securitySetup: undefined }]]),
  });
  const open = async (wire?: Wire) => {
    const link = loopback(device, wire);
    const context = contextOf(link, { profile: profileOf({ access: wanted }), keys });
    return { link, session: await openSession(context, () => digestHls(nodeCrypto, "sha1", fromHex(SECRET))) };
  };
  return { open, memory };
}

const MECHANISMS = ["hls-manufacturer", "hls-md5", "hls-sha1", "hls-gmac", "hls-sha256", "hls-ecdsa"] as const;

describe.each(MECHANISMS)("%s", (authentication) => {
  const securitySuite = authentication === "hls-ecdsa" ? 1 : 0;
  it.each(["none", "service-specific"] as const)(
    "proves both sides, then reads and writes, ciphering %s",
    async (ciphering) => {
      const { open } = setUp({ authentication, ciphering, securitySuite });
      const { session } = await open();
      expect(await session.write(note, octets(9))).toBe(0);
      expect(await session.read(note)).toEqual({ kind: "value", value: octets(9) });
    },
  );
  it("ends when the meter's proof has one octet changed", async () => {
    const { open } = setUp({ authentication, ciphering: "none", securitySuite });
    const changed: Wire = (frame, count) => {
      if (count === 2) frame[frame.length - 1] = (frame[frame.length - 1] as number) ^ 1;
      return [frame];
    };
    await expect(open(changed)).rejects.toMatchObject({ reason: "auth", code: "dlms.bad-proof" });
  });
});

it.each(["hls-md5", "hls-sha1", "hls-sha256"] as const)(
  "%s: a meter with another secret refuses our proof",
  async (authentication) => {
    const { open } = setUp({ authentication, ciphering: "none" }, { secret: "ff" });
    await expect(open()).rejects.toMatchObject({ reason: "auth", code: "dlms.proof-refused" });
  },
);

describe.each([1, 2] as const)("suite %i", (securitySuite) => {
  it.each([
    ["glo-", { ciphering: "service-specific" }],
    ["general-glo", { ciphering: "general" }],
    ["a dedicated key", { ciphering: "service-specific", dedicatedKey: true }],
    ["a dedicated key in general form", { ciphering: "general", dedicatedKey: true }],
    ["general-ciphering", { ciphering: "general-ciphering" }],
    ["one-pass agreement", { ciphering: "general-ciphering", cipheringKey: "one-pass" }],
    ["static unified agreement", { ciphering: "general-ciphering", cipheringKey: "static-unified" }],
    ["ECDSA and glo-", { authentication: "hls-ecdsa", ciphering: "service-specific" }],
    ["everything signed too", { authentication: "hls-ecdsa", ciphering: "general", securityPolicy: 0xfc }],
    ["signed alone", { authentication: "hls-ecdsa", ciphering: "general", securityPolicy: 0x90 }],
    ["one-pass, signed", { ciphering: "general-ciphering", cipheringKey: "one-pass", securityPolicy: 0xfc }],
    ["authenticated only", { ciphering: "service-specific", securityPolicy: 0x24 }],
    ["requests protected, answers in clear", { ciphering: "service-specific", securityPolicy: 0x0c }],
  ] as const)("%s: reads short and in blocks, writes", async (_, part) => {
    const { open, memory } = setUp({ securitySuite, ...part });
    const { session, link } = await open();
    expect(await session.read(note)).toEqual({ kind: "value", value: octets(3) });
    expect(await session.write(note, octets(700))).toBe(0);
    expect(memory.note).toEqual(octets(700));
    expect(await session.read(note)).toEqual({ kind: "value", value: octets(700) });
    for (const frame of [...link.answered, ...link.sent]) expect(frame.length).toBeLessThanOrEqual(512 + 8);
    await session.release();
  });
});

describe("policies and forms", () => {
  const later =
    (change: (frame: Uint8Array) => Uint8Array): Wire =>
    (frame, count) => [count < 3 ? frame : change(frame)];

  it("a dedicated key protects everything after the proof, under ded- tags", async () => {
    const { open } = setUp({ dedicatedKey: true });
    const { session, link } = await open();
    await session.read(note);
    expect(link.sent.map((frame) => decode(Wrapper, frame).apdu[0])).toEqual([0x60, 0xcb, 0xd0]);
    expect(decode(Wrapper, link.answered.at(-1) as Uint8Array).apdu[0]).toBe(0xd4);
  });
  it("a meter whose policy demands more refuses", async () => {
    const weak = setUp({ securitySuite: 1, securityPolicy: 0x24 }, { policy: 0x6c });
    await expect(weak.open()).rejects.toMatchObject({ reason: "auth" });
    const unsigned = setUp({ securitySuite: 1, securityPolicy: 0x6c }, { policy: 0xfc });
    await expect(unsigned.open()).rejects.toMatchObject({ reason: "auth" });
  });
  it("an answer weaker than our policy is refused", async () => {
    const { open } = setUp({ securitySuite: 1, securityPolicy: 0x6c }, { policy: 0x2c });
    await expect(open()).rejects.toMatchObject({ code: "dlms.weak-protection" });
  });
  it.each([
    ["signed alone", { authentication: "hls-ecdsa", ciphering: "general", securityPolicy: 0x90 }],
    ["one-pass", { ciphering: "general-ciphering", cipheringKey: "one-pass" }],
    ["static-unified", { ciphering: "general-ciphering", cipheringKey: "static-unified" }],
  ] as const)("%s: an answer to an earlier request is refused by its transaction id", async (_, part) => {
    const { open } = setUp({ securitySuite: 1, ...part });
    let kept: Uint8Array | undefined;
    const { session } = await open(later((frame) => (kept ??= frame)));
    await session.read(note);
    await expect(session.read(note)).rejects.toMatchObject({ reason: "auth", code: "dlms.stale-transaction" });
  });
  it("an answer with any octet of its signature changed is refused", async () => {
    const { open } = setUp({
      securitySuite: 1,
      authentication: "hls-ecdsa",
      ciphering: "general",
      securityPolicy: 0xfc,
    });
    const { session } = await open(
      later((frame) => {
        frame[frame.length - 1] = (frame[frame.length - 1] as number) ^ 1;
        return frame;
      }),
    );
    await expect(session.read(note)).rejects.toMatchObject({ reason: "auth", code: "dlms.bad-signature" });
  });
});
