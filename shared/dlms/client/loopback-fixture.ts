import type { SessionContext } from "../../metering/driver.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Link, LinkError } from "../../ports/link.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex, toHex } from "../../ports/octets.ts";
import { seeded } from "../../ports/random.ts";
import { CONFORMANCE } from "../conformance.ts";
import type { Data } from "../data.ts";
import type { LogicalName } from "../logical-name.ts";
import { ServerConnection } from "../server/connection.ts";
import { type CosemObject, dataResult } from "../server/cosem-object.ts";
import type { ClientSecurity, CounterMemory, LogicalDevice } from "../server/logical-device.ts";

/** A meter made by hand on the server side, and a link to it without a socket, for tests of the client. */

export const METER_TITLE = fromHex("4852530001000001");
export const CLIENT_TITLE = fromHex("4844520000000001");
export const KEYS = {
  unicast: "000102030405060708090a0b0c0d0e0f",
  authentication: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
  llsSecret: "0102030405060708",
};
/** 2026-01-23T12:00Z. */
export const NOW = Date.UTC(2026, 0, 23, 12);
const ALL_SERVICES = Object.values(CONFORMANCE).reduce<number>((bits, bit) => bits | bit, 0);

type Access = DlmsProfile["dlms"]["access"];
export const access = (part: Partial<Access> = {}): Access => ({
  clientSap: 1,
  serverSap: 1,
  authentication: "hls-gmac",
  ciphering: "service-specific",
  securitySuite: 0,
  maxPduSize: 1024,
  deviationSign: "utc",
  ...part,
});

export const profileOf = (dlms: Partial<DlmsProfile["dlms"]> = {}): DlmsProfile => ({
  name: "test",
  version: 1,
  commodity: "electric",
  protocol: "dlms",
  dlms: { access: access(), clock: "0.0.1.0.0.255", registers: [], loadProfiles: [], ...dlms },
});

/** An object whose attributes hold these data. */
export const holding = (
  classId: number,
  logicalName: LogicalName,
  attributes: Readonly<Record<number, Data>>,
): CosemObject => ({
  classId,
  version: 0,
  logicalName,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([id, data]) => [id, { get: () => dataResult(data), selectors: [1] }]),
  ),
});

export const countersFrom = (last: number | undefined): CounterMemory & { readonly own: { next: number } } => {
  let accepted = last;
  const own = { next: 1 };
  return {
    own,
    lastAccepted: () => accepted,
    accepted: (counter) => {
      accepted = Math.max(accepted ?? 0, counter);
    },
    refused: () => undefined,
    nextOwn: () => own.next++,
  };
};

export function deviceOf(
  objects: readonly CosemObject[],
  wanted: Access = access(),
  more: Partial<LogicalDevice> & { readonly lastAccepted?: number; readonly keys?: Partial<typeof KEYS> } = {},
): LogicalDevice {
  const { lastAccepted, keys, ...device } = more;
  const held = { ...KEYS, ...keys };
  const security: ClientSecurity =
    wanted.authentication === "none"
      ? { mechanism: "none" }
      : wanted.authentication === "lls"
        ? { mechanism: "lls", secret: fromHex(held.llsSecret) }
        : {
            mechanism: "hls-gmac",
            ciphered: wanted.ciphering !== "none",
            clientSystemTitle: CLIENT_TITLE,
            keys: {
              encryption: nodeCrypto.secretKey(fromHex(held.unicast)),
              authentication: fromHex(held.authentication),
            },
            counters: countersFrom(lastAccepted),
          };
  return {
    serverSap: wanted.serverSap,
    systemTitle: METER_TITLE,
    maxPduSize: 512,
    conformance: ALL_SERVICES,
    clients: new Map([
      [
        wanted.clientSap,
        {
          security,
          objects: () => objects,
          securitySetup: undefined,
          ...(wanted.referencing && { referencing: wanted.referencing }),
        },
      ],
    ]),
    ...device,
  };
}

/** Sees and may change what travels: `undefined` loses the frame, "close" ends the connection in its place. */
export type Wire = (frame: Uint8Array, count: number) => readonly Uint8Array[] | "close";

export interface Loopback extends Link {
  /** Frames as sent by the client. */
  readonly sent: Uint8Array[];
  readonly answered: Uint8Array[];
}

/** A stream link to a device. `answers` may tamper with each frame that the meter sends. */
export function loopback(device: LogicalDevice, answers: Wire = (frame) => [frame]): Loopback {
  const connection = new ServerConnection(device, { crypto: nodeCrypto, random: seeded("meter") });
  const waiting: Uint8Array[] = [];
  const sent: Uint8Array[] = [];
  const answered: Uint8Array[] = [];
  let open = true;
  return {
    kind: "stream",
    sent,
    answered,
    send: async (octets) => {
      if (!open) throw new LinkError("link.closed", "closed");
      sent.push(octets.slice());
      const reaction = connection.receive(octets.slice());
      for (const frame of reaction.send) {
        answered.push(frame.slice());
        const passed = answers(frame.slice(), answered.length);
        if (passed === "close") open = false;
        else waiting.push(...passed);
      }
      if (reaction.close) open = false;
    },
    receive: async () => {
      const next = waiting.shift();
      if (next !== undefined) return next;
      throw new LinkError(open ? "link.timeout" : "link.closed", "nothing came");
    },
    close: async () => {
      open = false;
    },
  };
}

export const stillClock: Clock = { now: () => NOW, sleep: async () => undefined };

export function contextOf(link: Link, part: Partial<SessionContext> = {}): SessionContext {
  let counter = 100;
  return {
    link,
    clock: stillClock,
    random: seeded("client"),
    crypto: nodeCrypto,
    profile: profileOf(),
    systemTitle: toHex(METER_TITLE),
    clientSystemTitle: toHex(CLIENT_TITLE),
    keys: KEYS,
    counters: { next: () => ++counter },
    responseTimeoutMs: 1_000,
    ...part,
  };
}
