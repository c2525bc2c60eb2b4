import { spawn } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { countersFrom, holding } from "../../shared/dlms/client/loopback-fixture.ts";
import { CONFORMANCE } from "../../shared/dlms/conformance.ts";
import type { Data } from "../../shared/dlms/data.ts";
import { dateTimeAt, dateTimeData } from "../../shared/dlms/date-time.ts";
import { HDLC_DEFAULTS } from "../../shared/dlms/hdlc-parameters.ts";
import type { CipheringSecrets } from "../../shared/dlms/security/general-ciphering.ts";
import type { Hls, HlsMechanism } from "../../shared/dlms/security/hls.ts";
import { ServerConnection } from "../../shared/dlms/server/connection.ts";
import { actionResult, type CosemObject, dataResult } from "../../shared/dlms/server/cosem-object.ts";
import { HdlcServerConnection } from "../../shared/dlms/server/hdlc-connection.ts";
import type { ClientRule, ClientSecurity, LogicalDevice } from "../../shared/dlms/server/logical-device.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { equalOctets, fromHex } from "../../shared/ports/octets.ts";
import { seeded } from "../../shared/ports/random.ts";
import { ImageMemory, VERIFY_MS } from "../../shared/simulator/image-memory.ts";
import { imageTransferObject } from "../../shared/simulator/image-transfer-object.ts";
import { periodicEntries, profileGenericObject } from "../../shared/simulator/profile-generic-object.ts";
import { CENTRAL_EUROPE } from "../../shared/simulator/zone.ts";

/** A meter's side of ours behind a socket, for clients that others wrote: each way of associating, each kind of service. */

export const CLIENT_TITLE = "4844520000000001";
export const METER_TITLE = "4852530001000001";
export const SECRET = "0102030405060708";
/** Of mechanism 2, where the client sends it as its challenge: one block of AES-128. */
export const BLOCK_SECRET = "0102030405060708090a0b0c0d0e0f10";
export const NOTE = "0.0.96.13.0.255";
/** A value of 1,200 octets, all 0x5a. */
export const LONG_NOTE = "0.0.96.1.1.255";
export const OTHER_NOTE = "0.0.96.13.1.255";
/** A script table whose method 1 answers its parameters. */
export const ECHO = "0.0.10.0.0.255";
/** A script table whose method 1 keeps its parameters as the note's value, and answers none. */
export const SINK = "0.0.10.0.2.255";
export const PROFILE = "1.0.99.1.0.255";
export const CLOCK = "0.0.1.0.0.255";
export const IMAGE = "0.0.44.0.0.255";
export const STEP_MS = 900_000;
export const LAST_END = Date.UTC(2026, 0, 23, 12);
export const ENTRIES = 96;

/** A way of talking with the meter. */
export interface Way {
  readonly framing: "wrapper" | "hdlc";
  readonly authentication: "none" | "lls" | HlsMechanism;
  /** Undefined: in clear. */
  readonly suite?: 0 | 1 | 2;
  readonly dedicatedKey?: string;
  readonly referencing?: "short-name";
  /** Of HDLC: octets of an information field that the meter sends and takes, 128 where absent. */
  readonly informationMax?: number;
  /** Of HDLC: the meter's lower address, 0 where absent. */
  readonly physicalDevice?: number;
}

/** Octets of a suite's keys, and the keys themselves. */
export const keyOctets = (suite: Way["suite"]): 16 | 32 => (suite === 2 ? 32 : 16);
export const unicastKey = (suite: Way["suite"]): string => "01".repeat(keyOctets(suite));
export const authenticationKey = (suite: Way["suite"]): string => "02".repeat(keyOctets(suite));

export interface Held {
  note: Data;
  other: Data;
  /** Version of the firmware that runs. */
  firmware: string;
}

/** Import register value of the entry that ends at `end`. */
export const importAt = (end: number): number => 1000 + (end - LAST_END) / STEP_MS + ENTRIES;

function objectsOf(held: Held): readonly CosemObject[] {
  const note = (logicalName: string, name: "note" | "other"): CosemObject => ({
    classId: 1,
    version: 0,
    logicalName,
    attributes: {
      2: {
        get: () => dataResult(held[name]),
        set: (data) => {
          held[name] = data;
          return 0;
        },
      },
    },
  });
  // Each look at the clock is seconds later, so that whoever asks again finds verification and activation done.
  let at = 0;
  const memory = new ImageMemory(
    nodeCrypto,
    () => {
      at += VERIFY_MS;
      return at;
    },
    held.firmware,
    (version) => {
      held.firmware = version;
    },
  );
  const clock = { classId: 8, logicalName: CLOCK, attributeIndex: 2, dataIndex: 0 };
  return [
    note(NOTE, "note"),
    note(OTHER_NOTE, "other"),
    holding(1, LONG_NOTE, { 2: { type: "octet-string", value: new Uint8Array(1_200).fill(0x5a) } }),
    {
      classId: 9,
      version: 0,
      logicalName: ECHO,
      attributes: {},
      methods: { 1: (parameters) => actionResult("success", parameters) },
    },
    {
      classId: 9,
      version: 0,
      logicalName: SINK,
      attributes: {},
      methods: {
        1: (parameters) => {
          held.note = parameters ?? held.note;
          return actionResult("success");
        },
      },
    },
    imageTransferObject(IMAGE, memory),
    profileGenericObject<number>({
      logicalName: PROFILE,
      columns: [
        { object: clock, at: (end) => dateTimeData(dateTimeAt(end, -60)) },
        {
          object: { classId: 3, logicalName: "1.0.1.8.0.255", attributeIndex: 2, dataIndex: 0 },
          at: (end) => ({ type: "double-long-unsigned", value: importAt(end) }),
        },
      ],
      clock,
      period: STEP_MS / 1000,
      depth: ENTRIES,
      held: () => periodicEntries(LAST_END - (ENTRIES - 1) * STEP_MS, LAST_END, STEP_MS),
      zone: CENTRAL_EUROPE,
    }),
  ];
}

function securityOf({ authentication, suite }: Way, secrets: Omit<CipheringSecrets, "global" | "curve"> | undefined) {
  const common = {
    ciphered: suite !== undefined,
    clientSystemTitle: fromHex(CLIENT_TITLE),
    keys: {
      encryption: nodeCrypto.secretKey(fromHex(unicastKey(suite))),
      authentication: fromHex(authenticationKey(suite)),
    },
    counters: countersFrom(undefined),
    suite: suite ?? 0,
    ...(secrets && { secrets }),
  } as const;
  const security: ClientSecurity =
    authentication === "none"
      ? { mechanism: "none" }
      : authentication === "lls"
        ? { mechanism: "lls", secret: fromHex(SECRET) }
        : authentication === "hls-gmac" || authentication === "hls-ecdsa"
          ? { ...common, mechanism: authentication }
          : authentication === "hls-manufacturer"
            ? { ...common, mechanism: authentication, hls: BLOCK_HLS }
            : { ...common, mechanism: authentication, hlsSecret: fromHex(SECRET) };
  return security;
}

/** Mechanism 2 as older meters commonly have it: the challenge under AES-128 in ECB mode. */
const enciphered = (challenge: Uint8Array): Uint8Array => {
  const cipher = createCipheriv("aes-128-ecb", fromHex(BLOCK_SECRET), null).setAutoPadding(false);
  return new Uint8Array(Buffer.concat([cipher.update(challenge), cipher.final()]));
};
const BLOCK_HLS: Hls = {
  prove: enciphered,
  verify: (sent, _, proof) => (equalOctets(enciphered(sent), proof) ? { counter: undefined } : undefined),
};

export interface OwnMeter {
  readonly port: number;
  readonly held: Held;
  readonly close: () => void;
}

/** Listens on a port of its own; SAP 1 associates as `way` says. */
export async function ownMeter(
  way: Way,
  more: Partial<LogicalDevice> & { readonly secrets?: Omit<CipheringSecrets, "global" | "curve"> } = {},
): Promise<OwnMeter> {
  const { secrets, ...device } = more;
  const empty: Data = { type: "octet-string", value: new Uint8Array(0) };
  const held: Held = { note: empty, other: empty, firmware: "HRS-1.0.0" };
  const objects = objectsOf(held);
  const rule: ClientRule = {
    security: securityOf(way, secrets),
    objects: () => objects,
    securitySetup: undefined,
    ...(way.referencing && { referencing: way.referencing }),
  };
  const whole: LogicalDevice = {
    serverSap: 1,
    systemTitle: fromHex(METER_TITLE),
    maxPduSize: 512,
    conformance: Object.values(CONFORMANCE).reduce<number>((bits, bit) => bits | bit, 0),
    clients: new Map([[1, rule]]),
    ...device,
  };
  const ports = { crypto: nodeCrypto, random: seeded("meter") };
  const server = createServer((socket) => {
    const { informationMax = 128, physicalDevice = 0 } = way;
    const parameters = { ...HDLC_DEFAULTS, transmitMax: informationMax, receiveMax: informationMax };
    const connection =
      way.framing === "hdlc"
        ? new HdlcServerConnection(whole, ports, { physicalDevice, parameters })
        : new ServerConnection(whole, ports);
    socket.on("data", (octets: Buffer) => {
      const reaction = connection.receive(new Uint8Array(octets));
      for (const answer of reaction.send) socket.write(answer);
      if (reaction.close) socket.end();
    });
    socket.on("error", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, held, close: () => void server.close() };
}

/** Runs a peer to its end with `input` on its standard input; answers what it printed. */
export async function peer(command: string, args: readonly string[], input: string): Promise<string> {
  const child = spawn(command, args, { stdio: "pipe" });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.end(input);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the peer ended with ${code}: ${stderr.trim().split("\n").slice(-4).join(" | ")}`);
  return stdout;
}
