import { describe, expect, it } from "vitest";
import type { Curve, PrivateKey } from "../../ports/crypto.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { concat, fromHex, toHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import file from "../vectors/dlms-vectors.json" with { type: "json" };
import { GeneralCiphering } from "./ciphered-apdu.ts";
import { type CipheringSecrets, onePassKey, openGeneral, sealGeneral, staticUnifiedKey } from "./general-ciphering.ts";
import { openSigned, signApdu } from "./general-signing.ts";
import { digestHls, ecdsaHls, sha256Hls } from "./hls.ts";
import { agreedKey, agreementData, unwrappedKeys, wrappedKeys } from "./key-transfer.ts";
import { openContent } from "./protection.ts";
import { bitsOfPolicy, policyOfBits, policyOfEnum, satisfies } from "./security-policy.ts";
import { deriveKey } from "./security-suite.ts";

type Vector = Readonly<Record<string, string>>;
const vector = (id: string): Vector => {
  const found = file.vectors.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found as unknown as Vector;
};
const hex = (text: string | undefined): Uint8Array => fromHex(text ?? "missing");
const secret = (curve: Curve, scalar: string | undefined): PrivateKey => {
  const key = nodeCrypto.privateKey(curve, hex(scalar));
  if (key === undefined) throw new Error("no scalar");
  return key;
};
const upper = (octets: Uint8Array | undefined): string | undefined => octets && toHex(octets).toUpperCase();

describe("key derivation", () => {
  it.each(["kdf-onepass-client", "kdf-onepass-server"])("%s", (id) => {
    const { hash, Z, partyU, partyV, key } = vector(id);
    const curve = hash === "sha256" ? "P-256" : "P-384";
    expect(upper(deriveKey(nodeCrypto, curve, hex(Z), hex(partyU), hex(partyV)))).toBe(key);
  });
  it("agrees on P-256, one-pass, from either side", () => {
    const known = vector("gb-one-pass-dh");
    const [u, v] = [hex("4D4D4D0000BC614E"), hex("4D4D4D0000000001")];
    const ofU = secret("P-256", known.ephemeralPrivateU);
    const ofV = secret("P-256", known.staticPrivateV);
    expect(upper(nodeCrypto.agree(ofU, hex(known.staticPublicV)))).toBe(known.Z);
    expect(upper(nodeCrypto.publicKeyOf(ofU))).toBe(known.ephemeralPublicU);
    expect(upper(onePassKey(nodeCrypto, "P-256", ofU, hex(known.staticPublicV), u, v))).toBe(known.key);
    expect(upper(onePassKey(nodeCrypto, "P-256", ofV, hex(known.ephemeralPublicU), u, v))).toBe(known.key);
  });
  it("agrees on P-256, static unified", () => {
    const known = vector("gb-static-unified");
    const header = {
      transactionId: hex(known.transactionId),
      originatorSystemTitle: hex("4D4D4D0000BC614E"),
      recipientSystemTitle: hex("4D4D4D0000000001"),
      dateTime: new Uint8Array(),
      otherInformation: new Uint8Array(),
    };
    const key = staticUnifiedKey(
      nodeCrypto,
      "P-256",
      secret("P-256", known.staticPrivateU),
      hex(known.staticPublicV),
      header,
    );
    expect(upper(key)).toBe(known.key);
    const content = vector("gb-general-ciphering-static-unified-content");
    const payload = hex(content.contentAndTag).subarray(0, -12);
    const plain = nodeCrypto.gcmSeal(
      nodeCrypto.secretKey(key as Uint8Array),
      hex(content.iv),
      new Uint8Array(),
      payload,
      12,
    );
    expect(upper(plain.subarray(0, payload.length))).toBe(content.plain);
  });
  it("agrees on P-384, suite 2", () => {
    const known = vector("ecdh-p384-suite2");
    const shared = nodeCrypto.agree(secret("P-384", known.privateA), hex(known.publicB));
    expect(upper(shared)).toBe(known.Z);
    expect(upper(nodeCrypto.agree(secret("P-384", known.privateB), hex(known.publicA)))).toBe(known.Z);
    expect(upper(deriveKey(nodeCrypto, "P-384", shared as Uint8Array, hex(known.partyU), hex(known.partyV)))).toBe(
      known.key,
    );
  });
  it("gives the published shared secret of two ephemeral keys", () => {
    const known = vector("gb-ephemeral-unified-Z");
    const shared = nodeCrypto.agree(secret("P-256", known.ephemeralPrivateServer), hex(known.ephemeralPublicClient));
    expect(upper(shared)).toBe(known.Z);
  });
});

describe("signatures", () => {
  it.each([
    "ecdsa-p256-sha256-verify",
    "ecdsa-p384-sha384-verify",
    "gb-one-pass-dh-signature",
    "gb-key-agreement-signature",
  ])("%s verifies, and no changed octet of it does", (id) => {
    const known = vector(id);
    const message =
      known.messageHex === undefined ? new TextEncoder().encode(known.messageAscii) : hex(known.messageHex);
    const signature = hex(known.signatureRS);
    const curve = known.curve as Curve;
    expect(nodeCrypto.verify(curve, hex(known.publicXY), message, signature)).toBe(true);
    for (const at of [0, 31, 32, signature.length - 1]) {
      const changed = Uint8Array.from(signature);
      changed[at] = (changed[at] as number) ^ 1;
      expect(nodeCrypto.verify(curve, hex(known.publicXY), message, changed)).toBe(false);
    }
    expect(nodeCrypto.verify(curve, hex(known.publicXY), message, signature.subarray(1))).toBe(false);
    expect(nodeCrypto.verify(curve, hex(known.publicXY).fill(1), message, signature)).toBe(false);
  });
  it("knows no private key outside of the curve", () => {
    expect(nodeCrypto.privateKey("P-256", new Uint8Array(32))).toBeUndefined();
    expect(nodeCrypto.privateKey("P-256", new Uint8Array(32).fill(0xff))).toBeUndefined();
    expect(nodeCrypto.privateKey("P-384", new Uint8Array(32).fill(1))).toBeUndefined();
  });
});

const U = hex("4D4D4D0000BC614E");
const V = hex("4D4D4D0000000001");

describe.each(["P-256", "P-384"] as const)("both sides on %s", (curve) => {
  const octets = curve === "P-256" ? 32 : 48;
  const key = (fill: number): PrivateKey => secret(curve, toHex(new Uint8Array(octets).fill(fill)));
  const point = (fill: number): Uint8Array => nodeCrypto.publicKeyOf(key(fill));
  const suite = curve === "P-256" ? 1 : 2;
  const global = {
    encryption: nodeCrypto.secretKey(new Uint8Array(suite * 16).fill(9)),
    authentication: new Uint8Array(suite * 16).fill(8),
  };
  const masterKey = new Uint8Array(suite * 16).fill(7);
  const shared = { global, masterKey, curve } as const;
  const ofU: CipheringSecrets = {
    ...shared,
    ownSigning: key(1),
    ownAgreement: key(2),
    peerSigning: point(3),
    peerAgreement: point(4),
  };
  const ofV: CipheringSecrets = {
    ...shared,
    ownSigning: key(3),
    ownAgreement: key(4),
    peerSigning: point(1),
    peerAgreement: point(2),
  };
  const header = {
    transactionId: hex("0000000000000001"),
    originatorSystemTitle: U,
    recipientSystemTitle: V,
    dateTime: new Uint8Array(),
    otherInformation: new Uint8Array(),
  };
  const apdu = hex("c001c100080000010000ff0200");
  const sender = { systemTitle: U, invocationCounter: 5 };
  const titles = { originator: U, recipient: V };

  it.each([
    ["identified", { kind: "identified" }],
    ["wrapped", { kind: "wrapped", key: new Uint8Array(suite * 16).fill(6) }],
    ["one-pass", { kind: "one-pass", ephemeral: key(5) }],
    ["static-unified", { kind: "static-unified" }],
  ] as const)("General-Ciphering under a key that is %s opens, and no truncation nor change of it", (kind, by) => {
    const sealed = sealGeneral(nodeCrypto, ofU, by, header, 0x30 | suite, sender, apdu);
    const opened = openGeneral(nodeCrypto, ofV, titles, sealed);
    expect(opened).toMatchObject({
      kind: "opened",
      key: kind,
      invocationCounter: 5,
      securityControl: 0x30 | suite,
      apdu,
    });
    for (let length = 0; length < sealed.length; length++)
      expect(() => decode(GeneralCiphering, sealed.subarray(0, length))).toThrow(WireError);
    for (let at = 2; at < sealed.length; at += 3) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] as number) ^ 0x01;
      let refused: boolean;
      try {
        refused = openGeneral(nodeCrypto, ofV, titles, changed).kind === "refused";
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        refused = true;
      }
      expect(refused, `octet ${at}`).toBe(true);
    }
    expect(openGeneral(nodeCrypto, ofV, { originator: V, recipient: V }, sealed)).toEqual({
      kind: "refused",
      because: "title",
    });
  });

  it("General-Signing verifies under the signer's key only", () => {
    const signed = signApdu(nodeCrypto, key(1), header, apdu);
    expect(openSigned(nodeCrypto, curve, point(1), signed)).toMatchObject({ content: apdu });
    expect(openSigned(nodeCrypto, curve, point(2), signed)).toBeUndefined();
    for (let length = 0; length < signed.length; length++)
      expect(() => openSigned(nodeCrypto, curve, point(1), signed.subarray(0, length))).toThrow(WireError);
  });

  it("HLS by ECDSA proves who signs, to the one that asked, for these challenges", () => {
    const [ctos, stoc] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const client = ecdsaHls(nodeCrypto, { own: key(1), curve, peer: point(3) }, { own: U, peer: V });
    const server = ecdsaHls(nodeCrypto, { own: key(3), curve, peer: point(1) }, { own: V, peer: U });
    expect(server.verify(stoc, ctos, client.prove(stoc, ctos))).toEqual({ counter: undefined });
    expect(client.verify(ctos, stoc, server.prove(ctos, stoc))).toEqual({ counter: undefined });
    expect(client.verify(ctos, stoc, client.prove(stoc, ctos))).toBeUndefined();
    expect(server.verify(ctos, stoc, client.prove(stoc, ctos))).toBeUndefined();
  });

  it("key agreement ends in the same key on both sides, and refuses another key's signature", () => {
    const client = { curve, ephemeral: key(5), ownSigning: key(1), peerSigning: point(3) };
    const server = { curve, ephemeral: key(6), ownSigning: key(3), peerSigning: point(1) };
    const both = { client: U, server: V };
    const ofServer = agreedKey(nodeCrypto, server, both, "unicast", agreementData(nodeCrypto, client, "unicast"));
    const answer = agreementData(nodeCrypto, server, "unicast");
    expect(ofServer).toHaveLength(suite * 16);
    expect(agreedKey(nodeCrypto, client, both, "unicast", answer)).toEqual(ofServer);
    expect(agreedKey(nodeCrypto, client, both, "authentication", answer)).toBeUndefined();
    expect(agreedKey(nodeCrypto, { ...client, peerSigning: point(1) }, both, "unicast", answer)).toBeUndefined();
  });

  it("key transfer wraps and unwraps; all keys or none", () => {
    const fresh = new Uint8Array(suite * 16).fill(0x5a);
    const data = wrappedKeys(nodeCrypto, masterKey, [
      ["unicast", fresh],
      ["authentication", fresh],
    ]);
    expect(unwrappedKeys(nodeCrypto, masterKey, suite * 16, data)).toEqual(
      new Map([
        ["unicast", fresh],
        ["authentication", fresh],
      ]),
    );
    expect(unwrappedKeys(nodeCrypto, fresh, suite * 16, data)).toBeUndefined();
    expect(unwrappedKeys(nodeCrypto, masterKey, 48 - suite * 16, data)).toBeUndefined();
    const twice = wrappedKeys(nodeCrypto, masterKey, [
      ["unicast", fresh],
      ["unicast", fresh],
    ]);
    expect(unwrappedKeys(nodeCrypto, masterKey, suite * 16, twice)).toBeUndefined();
  });
});

describe("HLS by digests", () => {
  it.each([
    ["hls3-md5", "md5"],
    ["hls4-sha1", "sha1"],
  ] as const)("%s", (id, algorithm) => {
    const known = vector(id);
    const hls = digestHls(nodeCrypto, algorithm, hex(known.secret));
    const challenge = hex(known.challenge);
    expect(upper(hls.prove(challenge, challenge))).toBe(known.f);
    expect(hls.verify(challenge, challenge, hex(known.f))).toEqual({ counter: undefined });
    expect(hls.verify(challenge, challenge, hex(known.f).subarray(1))).toBeUndefined();
  });
  it("hls6-sha256, either side", () => {
    const known = vector("hls6-sha256");
    const [ctos, stoc] = [hex(known.CtoS), hex(known.StoC)];
    const client = sha256Hls(nodeCrypto, hex(known.secret), { own: hex(known.titleC), peer: hex(known.titleS) });
    const server = sha256Hls(nodeCrypto, hex(known.secret), { own: hex(known.titleS), peer: hex(known.titleC) });
    expect(upper(client.prove(stoc, ctos))).toBe(known.fStoC);
    expect(upper(server.prove(ctos, stoc))).toBe(known.fCtoS);
    expect(server.verify(stoc, ctos, hex(known.fStoC))).toBeDefined();
    expect(client.verify(ctos, stoc, hex(known.fCtoS))).toBeDefined();
    expect(client.verify(ctos, stoc, hex(known.fStoC))).toBeUndefined();
  });
});

it.each(["nist-gcm-tc3", "nist-gcm-tc16", "rfc3394-128-128", "rfc3394-256-256"])("%s", (id) => {
  const known = vector(id);
  if (known.kek !== undefined) {
    expect(upper(nodeCrypto.wrapKey(hex(known.kek), hex(known.key)))).toBe(known.wrapped);
    expect(upper(nodeCrypto.unwrapKey(hex(known.kek), hex(known.wrapped)))).toBe(known.key);
    return;
  }
  const sealed = nodeCrypto.gcmSeal(
    nodeCrypto.secretKey(hex(known.key)),
    hex(known.iv),
    hex(known.aad),
    hex(known.plain),
    16,
  );
  expect(sealed).toEqual(concat(hex(known.ciphertext), hex(known.tag16)));
});

it("the published one-pass APDU deciphers under the key that its key-info gives; its printed tag stays unverified", () => {
  const known = vector("gb-general-ciphering-access-one-pass");
  const agreement = vector("gb-one-pass-dh");
  const secrets: CipheringSecrets = {
    global: { encryption: nodeCrypto.secretKey(new Uint8Array(16)), authentication: new Uint8Array(16) },
    curve: "P-256",
    ownAgreement: secret("P-256", agreement.staticPrivateV),
    peerSigning: hex(vector("gb-one-pass-dh-signature").publicXY),
  };
  const titles = { originator: U, recipient: V };
  expect(openGeneral(nodeCrypto, secrets, titles, hex(known.apdu))).toEqual({ kind: "refused", because: "bad-tag" });
  const { cipheredContent } = decode(GeneralCiphering, hex(known.apdu));
  // The same content as encrypted only: what the derived key gives without a tag.
  const content = Uint8Array.from(cipheredContent.subarray(0, -12));
  content[0] = 0x21;
  const keys = { ...secrets.global, encryption: nodeCrypto.secretKey(hex(agreement.key)) };
  expect(openContent(nodeCrypto, keys, U, content)).toMatchObject({ kind: "opened", apdu: hex(known.plain) });
});

describe("policies", () => {
  it("go both ways as the bits of attribute 2", () => {
    for (let bits = 0; bits < 256; bits += 4) expect(bitsOfPolicy(policyOfBits(bits))).toBe(bits);
    expect(policyOfEnum(3)).toEqual(policyOfBits(0x04 | 0x08 | 0x20 | 0x40));
  });
  it.each([
    [0x30, 0, true],
    [0x10, 0, false],
    [0x20, 0, false],
    [0x70, 0, false],
    [0xb0, 0, false],
    [0x31, 0, false],
    [0x32, 2, true],
  ] as const)("security control %i under suite %i, both demanded: %s", (control, suite, fits) => {
    expect(satisfies(control, suite, { authenticated: true, encrypted: true, signed: false })).toBe(fits);
  });
});

describe("certificates", () => {
  // Made with OpenSSL: a device's signing certificate, by a root on the same curve.
  const DER = hex(
    "308201953082013ba00302010202145481d0775c723c70fdce92e8d99e50ec68555bc5300a06082a8648ce3d04030230143112301006035504030c095465737420726f6f743020170d3236313132333137353032315a180f32313236313033303137353032315a302b310e300c060355040a0c054d616b65723119301706035504030c10343835323533303030313030303030313059301306072a8648ce3d020106082a8648ce3d0301070342000406853c385f4cd9bfaaa76804b425ccd4696c34fc9dc980a8266644c9dd2b3ece05ab29e6a4887cd14416e3b9b38d90accfe3d9dee991a5c3f7b452aae69116efa3523050300e0603551d0f0101ff040403020780301d0603551d0e041604144d5b690bf404df177db472b1dc2187b4c9d1d010301f0603551d2304183016801449ef7192fc35a79a6d0123a5f1f91fb607b0ecd4300a06082a8648ce3d0403020348003045022100cba1598f07f94e695db65d78cd091504d636be5d9936930440c6f3c0abdbd01a02204b972c974d39c0add7d29c51fd90a754de06573c0c043348c34c31f2c5b68c92",
  );
  const ROOT = hex(
    "2235e71ddceff179ae448282bdecba134000548a4e73f89fb96f611faa8d250b110aed3c96fcf0f0d15036f006b1e76cbe688fdf0e4684a9c485558ebe1b5043",
  );
  it("tell title, point, time and use, and who issued them", () => {
    expect(nodeCrypto.certificate(DER)).toMatchObject({
      curve: "P-256",
      commonName: "4852530001000001",
      keyUsage: ["digitalSignature"],
      notBefore: Date.UTC(2026, 10, 23, 17, 50, 21),
      notAfter: Date.UTC(2126, 9, 30, 17, 50, 21),
    });
    expect(upper(nodeCrypto.certificate(DER)?.publicKey)?.slice(0, 16)).toBe("06853C385F4CD9BF");
    expect(nodeCrypto.issued(DER, "P-256", ROOT)).toBe(true);
    expect(nodeCrypto.issued(DER, "P-256", nodeCrypto.certificate(DER)?.publicKey ?? ROOT)).toBe(false);
  });
  it("are none when cut or of other octets", () => {
    for (let length = 0; length < DER.length; length += 7)
      expect(nodeCrypto.certificate(DER.subarray(0, length))).toBeUndefined();
  });
});
