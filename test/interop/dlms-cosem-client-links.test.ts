import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../shared/ports/octets.ts";
import {
  authenticationKey,
  BLOCK_SECRET,
  CLIENT_TITLE,
  ECHO,
  LONG_NOTE,
  NOTE,
  OTHER_NOTE,
  ownMeter,
  peer,
  unicastKey,
  type Way,
} from "./own-meter.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** dlms-cosem as a client of a meter's side of ours: HDLC with each size of address, mechanism 2, services. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

/** `extendedAddressing`: the peer sends the upper octets of an address too. */
type PeerWay = Way & { readonly extendedAddressing?: boolean };
const WAYS: readonly PeerWay[] = [
  { framing: "wrapper", authentication: "none" },
  { framing: "wrapper", authentication: "hls-gmac", suite: 0 },
  { framing: "wrapper", authentication: "hls-manufacturer" },
  { framing: "hdlc", authentication: "none" },
  { framing: "hdlc", authentication: "none", physicalDevice: 17 },
  { framing: "hdlc", authentication: "hls-gmac", suite: 0, physicalDevice: 17, extendedAddressing: true },
];

describe.skipIf(environment.kind === "absent")("dlms-cosem writes, reads and calls", () => {
  it.each(WAYS)("%o", async (way) => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const { suite, authentication } = way;
    const meter = await ownMeter(way);
    try {
      const request = {
        port: meter.port,
        clientTitle: CLIENT_TITLE,
        ...way,
        ...(authentication === "hls-manufacturer" && { secret: BLOCK_SECRET }),
        ...(suite !== undefined && { unicast: unicastKey(suite), authenticationKey: authenticationKey(suite) }),
        requests: [
          ["write", NOTE, "0a0b"],
          ["read", NOTE],
          ["read", LONG_NOTE],
          ["invoke", ECHO, "beef"],
          ["read_list", NOTE, OTHER_NOTE],
        ],
      };
      const said = await peer(
        environment.python,
        [join(import.meta.dirname, "dlms_cosem_link_client.py")],
        JSON.stringify(request),
      );
      expect(JSON.parse(said)).toEqual(["SUCCESS", "0a0b", "5a".repeat(1_200), "beef", ["0a0b", ""]]);
      expect(meter.held.note).toEqual({ type: "octet-string", value: fromHex("0a0b") });
    } finally {
      meter.close();
    }
  });
});
