import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { countersFrom, deviceOf } from "../../shared/dlms/client/loopback-fixture.ts";
import type { Data } from "../../shared/dlms/data.ts";
import { HDLC_DEFAULTS } from "../../shared/dlms/hdlc-parameters.ts";
import { ServerConnection } from "../../shared/dlms/server/connection.ts";
import { dataResult } from "../../shared/dlms/server/cosem-object.ts";
import { HdlcServerConnection } from "../../shared/dlms/server/hdlc-connection.ts";
import type { ClientSecurity } from "../../shared/dlms/server/logical-device.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { seeded } from "../../shared/ports/random.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** gurux-dlms as a client of a meter's side of ours: framings, HLS mechanisms, suites and the dedicated key. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const NOTE = "0.0.96.13.0.255";
const CLIENT_TITLE = "4844520000000001";
const SECRET = "0102030405060708";

interface Way {
  readonly framing: "wrapper" | "hdlc";
  readonly authentication: "none" | "hls-md5" | "hls-sha1" | "hls-gmac" | "hls-sha256";
  readonly suite?: 0 | 1 | 2;
  readonly dedicatedKey?: string;
}

function meterOf({ authentication, suite }: Way) {
  const memory: { note: Data } = { note: { type: "octet-string", value: new Uint8Array(0) } };
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
  const size = suite === 2 ? 32 : 16;
  const common = {
    ciphered: suite !== undefined,
    clientSystemTitle: fromHex(CLIENT_TITLE),
    keys: {
      encryption: nodeCrypto.secretKey(new Uint8Array(size).fill(1)),
      authentication: new Uint8Array(size).fill(2),
    },
    counters: countersFrom(undefined),
    suite: suite ?? 0,
  } as const;
  const security: ClientSecurity =
    authentication === "none"
      ? { mechanism: "none" }
      : authentication === "hls-gmac"
        ? { ...common, mechanism: authentication }
        : { ...common, mechanism: authentication, hlsSecret: fromHex(SECRET) };
  const clients = new Map([[1, { security, objects: () => objects, securitySetup: undefined }]]);
  return { memory, device: deviceOf(objects, undefined, { clients }) };
}

async function converse(way: Way, value: string): Promise<{ read: string; held: Data }> {
  if (environment.kind === "absent") throw new Error(environment.reason);
  const { device, memory } = meterOf(way);
  const ports = { crypto: nodeCrypto, random: seeded("meter") };
  const server = createServer((socket) => {
    const parameters = { ...HDLC_DEFAULTS, transmitWindow: 1 };
    const connection =
      way.framing === "hdlc"
        ? new HdlcServerConnection(device, ports, { physicalDevice: 0, parameters })
        : new ServerConnection(device, ports);
    socket.on("data", (octets: Buffer) => {
      for (const answer of connection.receive(new Uint8Array(octets)).send) socket.write(answer);
    });
    socket.on("error", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const size = way.suite === 2 ? 32 : 16;
    const child = spawn(environment.python, [join(import.meta.dirname, "gurux_link_client.py")], { stdio: "pipe" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.end(
      JSON.stringify({
        port: (server.address() as AddressInfo).port,
        clientTitle: CLIENT_TITLE,
        name: NOTE,
        value,
        ...way,
        ...(way.authentication.startsWith("hls-") && way.authentication !== "hls-gmac" && { secret: SECRET }),
        ...(way.suite !== undefined && { unicast: "01".repeat(size), authenticationKey: "02".repeat(size) }),
      }),
    );
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`the client ended with ${code}: ${stderr.trim().split("\n").slice(-3).join(" ")}`);
    return { read: (JSON.parse(stdout) as { read: string }).read, held: memory.note };
  } finally {
    server.close();
  }
}

const WAYS: readonly Way[] = [
  { framing: "hdlc", authentication: "none" },
  { framing: "hdlc", authentication: "hls-gmac", suite: 0 },
  { framing: "wrapper", authentication: "hls-md5" },
  { framing: "wrapper", authentication: "hls-sha1" },
  { framing: "wrapper", authentication: "hls-sha256" },
  { framing: "wrapper", authentication: "hls-gmac", suite: 1 },
  { framing: "wrapper", authentication: "hls-gmac", suite: 2 },
  { framing: "wrapper", authentication: "hls-gmac", suite: 0, dedicatedKey: "03".repeat(16) },
];

describe.skipIf(environment.kind === "absent")("gurux-dlms writes and reads", () => {
  it.each(WAYS)("%o", async (way) => {
    // The peer cuts its blocks without counting what protection adds, so that ciphered ones would be too long.
    const value = "5a".repeat(way.suite === undefined ? 900 : 300);
    const { read, held } = await converse(way, value);
    expect(read).toBe(value);
    expect(held).toEqual({ type: "octet-string", value: fromHex(value) });
  });
});
