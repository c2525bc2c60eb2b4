import { describe, expect, it } from "vitest";
import { decode } from "../../wire/codec.ts";
import certificates from "../vectors/certificates.json" with { type: "json" };
import { Wrapper } from "../wrapper.ts";
import type { Wire } from "./loopback-fixture.ts";
import { note, octets, setUp } from "./secured-fixture.ts";

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

describe("a meter whose keys are known by certificates", () => {
  const part = { authentication: "hls-ecdsa", ciphering: "general", securitySuite: 1, securityPolicy: 0xfc } as const;
  const certified = (more: object = {}) => ({
    enrolled: {
      meterSigning: undefined,
      meterAgreement: undefined,
      meterSigningCertificate: certificates.signing,
      meterAgreementCertificate: certificates.agreement,
      intermediates: [certificates.sub],
      authorities: [certificates.root],
      ...more,
    },
  });

  it.each([
    ["signatures", part],
    ["one-pass agreement", { ciphering: "general-ciphering", cipheringKey: "one-pass", securitySuite: 1 }],
    ["static unified agreement", { ciphering: "general-ciphering", cipheringKey: "static-unified", securitySuite: 1 }],
  ] as const)("is believed by %s", async (_, access) => {
    const { session } = await setUp(access, certified()).open();
    expect(await session.write(note, octets(7))).toBe(0);
    expect(await session.read(note)).toEqual({ kind: "value", value: octets(7) });
  });

  it.each([
    ["under no authority that we know", { authorities: [certificates.otherRoot] }, "dlms.certificate-untrusted"],
    ["of another meter", { meterSigningCertificate: certificates.otherTitle }, "dlms.certificate-wrong-title"],
    ["that has run out", { meterSigningCertificate: certificates.expired }, "dlms.certificate-expired"],
    ["for the other use", { meterSigningCertificate: certificates.agreement }, "dlms.certificate-wrong-use"],
  ])("is not talked with under a certificate %s", async (_, more, code) => {
    await expect(setUp(part, certified(more)).open()).rejects.toMatchObject({ reason: "auth", code });
  });

  it("is not talked with when an enrolled point is not the certificate's", async () => {
    const meterSigning = "11".repeat(64);
    await expect(setUp(part, certified({ meterSigning })).open()).rejects.toMatchObject({ code: "dlms.keys-missing" });
  });
});
