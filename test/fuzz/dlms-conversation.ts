import {
  access,
  CLIENT_TITLE,
  contextOf,
  deviceOf,
  holding,
  loopback,
  KEYS as METER_KEYS,
  METER_TITLE,
  NOW,
  profileOf,
} from "../../shared/dlms/client/loopback-fixture.ts";
import { openSession } from "../../shared/dlms/client/open-session.ts";
import { note as securedNote, octets as securedOctets, setUp } from "../../shared/dlms/client/secured-fixture.ts";
import { type DlmsSession, written } from "../../shared/dlms/client/session.ts";
import type { Data } from "../../shared/dlms/data.ts";
import { dateTimeAt, dateTimeData } from "../../shared/dlms/date-time.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { HDLC_DEFAULTS } from "../../shared/dlms/hdlc-parameters.ts";
import { DataObject } from "../../shared/dlms/objects/data.ts";
import { attributeOf } from "../../shared/dlms/objects/interface-class.ts";
import { captureObject } from "../../shared/dlms/objects/profile-generic.ts";
import { dlmsReception } from "../../shared/dlms/reception.ts";
import type { CipherKeys } from "../../shared/dlms/security/protection.ts";
import { actionResult, type CosemObject, dataResult } from "../../shared/dlms/server/cosem-object.ts";
import { HdlcServerConnection } from "../../shared/dlms/server/hdlc-connection.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { chance, type Random, seeded } from "../../shared/ports/random.ts";
import { mutantFrame, mutantHdlc, mutantOf } from "./dlms-frames.ts";

const KEYS: CipherKeys = {
  encryption: nodeCrypto.secretKey(fromHex(METER_KEYS.unicast)),
  authentication: fromHex(METER_KEYS.authentication),
};
const CLOCK = "0.0.1.0.0.255";
const IMPORT = "1.0.1.8.0.255";
const PROFILE = "1.0.99.1.0.255";
const NOTE = "0.0.96.13.0.255";
const ECHO = "0.0.10.0.0.255";
const STEP = 900_000;
const time = (instant: number): Data => dateTimeData(dateTimeAt(instant, -60));
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const octets = (length: number): Data => ({ type: "octet-string", value: new Uint8Array(length).fill(0x5a) });
const column = (classId: number, logicalName: string) => ({ classId, logicalName, attributeIndex: 2, dataIndex: 0 });
const ROWS = Array.from(
  { length: 40 },
  (_, index): Data => ({
    type: "structure",
    value: [time(NOW - index * STEP), u32(1000 + index)],
  }),
);

function objects(): readonly CosemObject[] {
  let held = octets(5);
  const set = (data: Data): number => {
    held = data;
    return 0;
  };
  return [
    holding(8, CLOCK, { 2: time(NOW), 3: { type: "long", value: -60 } }),
    holding(3, IMPORT, {
      2: u32(5),
      3: {
        type: "structure",
        value: [
          { type: "integer", value: 0 },
          { type: "enum", value: 30 },
        ],
      },
    }),
    holding(7, PROFILE, {
      2: { type: "array", value: ROWS },
      3: { type: "array", value: [column(8, CLOCK), column(3, IMPORT)].map(captureObject.write) },
      4: u32(900),
    }),
    { classId: 1, version: 0, logicalName: NOTE, attributes: { 2: { get: () => dataResult(held), set } } },
    {
      classId: 9,
      version: 0,
      logicalName: ECHO,
      attributes: {},
      methods: { 1: (parameters) => actionResult("success", parameters) },
    },
  ];
}

type Access = ReturnType<typeof access>;
const HDLC = {
  framing: "hdlc",
  hdlc: { physicalDevice: 17, addressOctets: 2, informationMax: 128, window: 3 },
} as const;
/** Ways of associating, each of which a conversation may take. */
const ACCESSES: readonly Access[] = [
  access({ authentication: "none", ciphering: "none", clientSap: 16 }),
  access(),
  access({ ciphering: "general", accessService: true }),
  access({ authentication: "lls", ciphering: "none" }),
  access({ authentication: "none", ciphering: "none", generalBlockTransfer: { window: 3 }, accessService: true }),
  access({ referencing: "short-name" }),
  access({ authentication: "none", ciphering: "none", referencing: "short-name" }),
  access({ authentication: "none", ciphering: "none", ...HDLC }),
  access(HDLC),
];

function profileFor(wanted: Access) {
  const channel = { measurement: "energy.active.import.total", classId: 3, obis: IMPORT } as const;
  return profileOf({
    access: wanted,
    registers: [{ ...channel, total: true }],
    loadProfiles: [
      {
        channelSet: "load",
        obis: PROFILE,
        period: 900,
        depth: 40,
        channels: [{ ...channel, attribute: 2, scaler: 0 }],
        statusBits: {},
      },
    ],
  });
}

/** Frames to and from a meter of ours, mutated on the way with these shares. */
interface Line {
  readonly link: Link;
  readonly mutants: () => number;
}

function wrapperLine(wanted: Access, random: Random): Line {
  let mutants = 0;
  const mutated = (frame: Uint8Array, title: Uint8Array, share: number): Uint8Array => {
    if (!chance(random, share)) return frame;
    mutants++;
    return mutantOf(frame, KEYS, title, random);
  };
  const link = loopback(deviceOf(objects(), wanted), (frame) => [mutated(frame, METER_TITLE, 0.2)]);
  return {
    link: { ...link, send: (frame) => link.send(mutated(frame, CLIENT_TITLE, 0.1)) },
    mutants: () => mutants,
  };
}

function hdlcLine(wanted: Access, random: Random): Line {
  let mutants = 0;
  const mutated = (frame: Uint8Array): Uint8Array => {
    if (!chance(random, 0.08)) return frame;
    mutants++;
    return mutantHdlc(frame, random);
  };
  const server = new HdlcServerConnection(
    deviceOf(objects(), wanted),
    { crypto: nodeCrypto, random: seeded("meter") },
    { physicalDevice: 17, parameters: { ...HDLC_DEFAULTS, transmitWindow: 3, receiveWindow: 3 } },
  );
  const waiting: Uint8Array[] = [];
  const link: Link = {
    kind: "stream",
    send: async (frame) => {
      for (const answer of server.receive(mutated(frame.slice())).send) waiting.push(mutated(answer.slice()));
    },
    receive: async () => {
      const next = waiting.shift();
      if (next === undefined) throw new LinkError("link.timeout", "nothing came");
      return next;
    },
    close: async () => undefined,
  };
  return { link, mutants: () => mutants };
}

const note = attributeOf(DataObject, DataObject.attributes.value, NOTE);

/** Every service but the profile's: blocks and lists, a method, ACCESS where it is offered. */
async function services(session: DlmsSession): Promise<void> {
  await session.write(note, octets(700));
  await session.read(note);
  await session.writeAll([written(note, octets(3)), written(note, octets(4))]);
  await session.readAll([note, note]);
  const echo = { classId: 9, instanceId: ECHO, methodId: 1 };
  await session.invoke({ descriptor: echo, parameter: note.shape }, octets(600));
  if (session.exchange.offers("access"))
    await session.access([
      { kind: "get", attribute: note.descriptor },
      { kind: "action", method: echo, parameters: octets(3) },
    ]);
  await session.release();
}

async function reads(random: Random, round: number): Promise<number> {
  const wanted = ACCESSES[round % ACCESSES.length] as Access;
  const line = wanted.framing === "hdlc" ? hdlcLine(wanted, random) : wrapperLine(wanted, random);
  let now = NOW;
  const clock = { now: () => now++, sleep: async () => undefined };
  const context = contextOf(line.link, { profile: profileFor(wanted), random, clock });
  try {
    if (chance(random, 0.5)) await services(await openSession(context));
    else {
      const session = await dlmsDriver.open(context);
      await session.perform({
        kind: "readIntervals",
        range: { from: NOW - 40 * STEP, to: NOW },
        registers: "total",
      });
      await session.release();
    }
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
  }
  return line.mutants();
}

const AGREEMENTS: readonly Partial<Access>[] = [
  { securitySuite: 1, ciphering: "general-ciphering", cipheringKey: "one-pass" },
  { securitySuite: 1, ciphering: "general-ciphering", cipheringKey: "static-unified" },
  { securitySuite: 2, authentication: "hls-ecdsa", ciphering: "general", securityPolicy: 0xfc },
  { securitySuite: 2, ciphering: "general-ciphering" },
];

/** Suites 1 and 2: keys agreed on, and signatures. */
async function agrees(random: Random, round: number): Promise<number> {
  let mutants = 0;
  try {
    const { session } = await setUp(AGREEMENTS[round % AGREEMENTS.length] as Partial<Access>).open((frame) => {
      if (!chance(random, 0.3)) return [frame];
      mutants++;
      return [mutantOf(frame, KEYS, METER_TITLE, random)];
    });
    await session.write(securedNote, securedOctets(300));
    await session.read(securedNote);
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
  }
  return mutants;
}

/** A meter that calls in and pushes: who it says it is. */
async function callsIn(random: Random): Promise<number> {
  const pushed = Array.from({ length: 4 }, () => mutantFrame(random));
  const link: Link = {
    kind: "stream",
    send: async () => undefined,
    receive: async () => {
      const next = pushed.pop();
      if (next === undefined) throw new LinkError("link.timeout", "nothing came");
      return next;
    },
    close: async () => undefined,
  };
  try {
    await dlmsReception.introduce({ ...contextOf(link, { random }), firstWordMs: 1_000 });
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
  }
  return 4 - pushed.length;
}

/**
 * A conversation whose frames are mutated on the way, either way. The client must end with a result or a typed error, the
 * meter must never throw. Answers how many frames were mutated.
 */
export async function fuzzedConversation(random: Random, round: number): Promise<number> {
  if (round % 16 === 5) return agrees(random, Math.floor(round / 16));
  if (round % 16 === 11) return callsIn(random);
  return reads(random, round);
}
