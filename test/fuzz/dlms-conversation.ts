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
import type { Data } from "../../shared/dlms/data.ts";
import { dateTimeAt, dateTimeData } from "../../shared/dlms/date-time.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { captureObject } from "../../shared/dlms/objects/profile-generic.ts";
import type { CipherKeys } from "../../shared/dlms/security/protection.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { Link } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { chance, type Random } from "../../shared/ports/random.ts";
import { mutantOf } from "./dlms-frames.ts";

const KEYS: CipherKeys = {
  encryption: nodeCrypto.secretKey(fromHex(METER_KEYS.unicast)),
  authentication: fromHex(METER_KEYS.authentication),
};
const CLOCK = "0.0.1.0.0.255";
const IMPORT = "1.0.1.8.0.255";
const PROFILE = "1.0.99.1.0.255";
const STEP = 900_000;
const time = (instant: number): Data => dateTimeData(dateTimeAt(instant, -60));
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const column = (classId: number, logicalName: string) => ({ classId, logicalName, attributeIndex: 2, dataIndex: 0 });
const ROWS = Array.from(
  { length: 40 },
  (_, index): Data => ({
    type: "structure",
    value: [time(NOW - index * STEP), u32(1000 + index)],
  }),
);
const OBJECTS = [
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
];
const ACCESSES = [
  access({ authentication: "none", ciphering: "none", clientSap: 16 }),
  access(),
  access({ ciphering: "general" }),
];

/**
 * A whole read whose frames are mutated on the way, either way. The client must end with a result or a typed error, the
 * meter must never throw. Answers how many frames were mutated.
 */
export async function fuzzedConversation(random: Random, round: number): Promise<number> {
  const wanted = ACCESSES[round % ACCESSES.length] as (typeof ACCESSES)[number];
  let mutants = 0;
  const device = deviceOf(OBJECTS, wanted);
  const link = loopback(device, (frame) => {
    if (!chance(random, 0.3)) return [frame];
    mutants++;
    return [mutantOf(frame, KEYS, METER_TITLE, random)];
  });
  const tampering: Link = {
    ...link,
    send: (octets) => {
      if (!chance(random, 0.1)) return link.send(octets);
      mutants++;
      return link.send(mutantOf(octets, KEYS, CLIENT_TITLE, random));
    },
  };
  const profile = profileOf({
    access: wanted,
    registers: [{ measurement: "energy.active.import.total", classId: 3, obis: IMPORT, total: true }],
    loadProfiles: [
      {
        channelSet: "load",
        obis: PROFILE,
        period: 900,
        depth: 40,
        channels: [{ measurement: "energy.active.import.total", classId: 3, obis: IMPORT, attribute: 2, scaler: 0 }],
        statusBits: {},
      },
    ],
  });
  try {
    const session = await dlmsDriver.open(contextOf(tampering, { profile, random }));
    const range = { from: NOW - 40 * STEP, to: NOW };
    await session.perform({ kind: "readIntervals", range, registers: "total" });
    await session.release();
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
  }
  return mutants;
}
