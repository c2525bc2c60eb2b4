import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CipheringSecrets } from "../../shared/dlms/security/general-ciphering.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { simulatedImage } from "../../shared/simulator/image-memory.ts";
import {
  authenticationKey,
  CLIENT_TITLE,
  ECHO,
  IMAGE,
  importAt,
  LAST_END,
  LONG_NOTE,
  NOTE,
  OTHER_NOTE,
  ownMeter,
  PROFILE,
  peer,
  SECRET,
  SINK,
  STEP_MS,
  unicastKey,
  type Way,
} from "./own-meter.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** gurux-dlms as a client of a meter's side of ours: framings, HLS mechanisms, suites, the dedicated key, services. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

type Request = readonly [kind: string, ...parts: readonly unknown[]];

interface More {
  /** Names of conformance bits as the peer has them. */
  readonly services?: readonly string[];
  readonly window?: number;
}

const scalar = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const signingKey = (fill: number) => {
  const key = nodeCrypto.privateKey("P-256", scalar(fill));
  if (key === undefined) throw new Error("no scalar");
  return key;
};
const publicKey = (fill: number): Uint8Array => nodeCrypto.publicKeyOf(signingKey(fill));

/** What the peer says to each request. */
async function converse(way: Way, requests: readonly Request[], more: More = {}) {
  if (environment.kind === "absent") throw new Error(environment.reason);
  const { authentication, suite } = way;
  const signing = authentication === "hls-ecdsa";
  const secrets: Omit<CipheringSecrets, "global" | "curve"> = {
    masterKey: new Uint8Array(16),
    ownSigning: signingKey(6),
    peerSigning: publicKey(4),
  };
  const meter = await ownMeter(way, signing ? { secrets } : {});
  const digested = authentication.startsWith("hls-") && authentication !== "hls-gmac" && !signing;
  try {
    const said = await peer(
      environment.python,
      [join(import.meta.dirname, "gurux_link_client.py")],
      JSON.stringify({
        port: meter.port,
        clientTitle: CLIENT_TITLE,
        requests,
        ...way,
        ...more,
        ...((digested || authentication === "lls") && { secret: SECRET }),
        ...(signing && { signing: [toHex(scalar(4)), toHex(publicKey(6))] }),
        ...(suite !== undefined && { unicast: unicastKey(suite), authenticationKey: authenticationKey(suite) }),
      }),
    );
    return { said: JSON.parse(said) as unknown[], held: meter.held };
  } finally {
    meter.close();
  }
}

const WAYS: readonly Way[] = [
  { framing: "hdlc", authentication: "none" },
  { framing: "hdlc", authentication: "hls-gmac", suite: 0 },
  { framing: "wrapper", authentication: "lls" },
  { framing: "wrapper", authentication: "hls-md5" },
  { framing: "wrapper", authentication: "hls-sha1" },
  { framing: "wrapper", authentication: "hls-sha256" },
  { framing: "wrapper", authentication: "hls-ecdsa", suite: 1 },
  { framing: "wrapper", authentication: "hls-gmac", suite: 1 },
  { framing: "wrapper", authentication: "hls-gmac", suite: 2 },
  { framing: "wrapper", authentication: "hls-gmac", suite: 0, dedicatedKey: "03".repeat(16) },
];

const row = (back: number): readonly [number, number] => {
  const end = LAST_END - back * STEP_MS;
  return [end, importAt(end)];
};

describe.skipIf(environment.kind === "absent")("gurux-dlms writes and reads", () => {
  it.each(WAYS)("%o", async (way) => {
    // The peer cuts its blocks without counting what protection adds, so that ciphered ones would be too long.
    const value = "5a".repeat(way.suite === undefined ? 900 : 300);
    const { said, held } = await converse(way, [
      ["write", NOTE, value],
      ["read", NOTE],
      ["read", LONG_NOTE],
    ]);
    expect(said).toEqual(["written", value, "5a".repeat(1_200)]);
    expect(held.note).toEqual({ type: "octet-string", value: fromHex(value) });
  });

  it.each<Way>([
    { framing: "wrapper", authentication: "none" },
    { framing: "wrapper", authentication: "hls-gmac", suite: 0 },
  ])("lists, a method, ranges and entries: %o", async (way) => {
    const { said } = await converse(way, [
      ["write_list", [NOTE, "0a0b"], [OTHER_NOTE, "0c"]],
      ["read_list", NOTE, OTHER_NOTE],
      ["invoke", ECHO, "beef"],
      ["range", PROFILE, LAST_END - 2 * STEP_MS, LAST_END],
      ["entries", PROFILE, 1, 2],
    ]);
    expect(said).toEqual(["written", ["0a0b", "0c"], "beef", [row(2), row(1), row(0)], [row(95), row(94)]]);
  });

  // What it makes of return parameters in blocks is nothing: it drops them.
  it("parameters of a method in blocks", async () => {
    const long = "be".repeat(1_200);
    const { held } = await converse({ framing: "wrapper", authentication: "none" }, [["call", SINK, long]]);
    expect(held.note).toEqual({ type: "octet-string", value: fromHex(long) });
  });

  it.each<Way>([
    { framing: "wrapper", authentication: "none" },
    { framing: "wrapper", authentication: "hls-gmac", suite: 0 },
  ])("by ACCESS: %o", async (way) => {
    const { said } = await converse(
      way,
      [
        ["write", NOTE, "0a0b"],
        ["access", NOTE, OTHER_NOTE],
      ],
      { services: ["ACCESS"] },
    );
    expect(said).toEqual(["written", ["0a0b", ""]]);
  });

  it("by general block transfer", async () => {
    const { said } = await converse(
      { framing: "wrapper", authentication: "none" },
      [
        ["write", NOTE, "5a".repeat(400)],
        ["read", NOTE],
        ["read", LONG_NOTE],
      ],
      { services: ["GENERAL_BLOCK_TRANSFER"], window: 3 },
    );
    expect(said).toEqual(["written", "5a".repeat(400), "5a".repeat(1_200)]);
  });

  it("brings an image, has it verified and activated", async () => {
    const octets = simulatedImage(nodeCrypto, "HRS-2.0.0", 1_130);
    const { said, held } = await converse({ framing: "wrapper", authentication: "hls-gmac", suite: 0 }, [
      ["image", IMAGE, "HRS-2.0.0", toHex(octets)],
    ]);
    expect(said).toEqual([[6, 3, 6]]);
    expect(held.firmware).toBe("HRS-2.0.0");
  });

  // Not ciphered: the peer fails an assertion of its own then.
  it("by short names", async () => {
    const { said } = await converse({ framing: "wrapper", authentication: "none", referencing: "short-name" }, [
      ["write", NOTE, "0a0b"],
      ["read", NOTE],
      ["range", PROFILE, LAST_END - STEP_MS, LAST_END],
    ]);
    expect(said).toEqual(["written", "0a0b", [row(1), row(0)]]);
  });
});
