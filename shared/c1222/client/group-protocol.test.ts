import { describe, expect, it } from "vitest";
import type { GenConfig } from "../../c1219/gen-config.ts";
import { readTime, writeTime } from "../../c1219/time.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { GROUP_INVOCATION_IDS, type GroupOperation, type GroupRequest } from "../../metering/group.ts";
import { PROFILES } from "../../metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex } from "../../ports/octets.ts";
import { Reader } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";
import { eaxPrimeKey } from "../security/eax-prime.ts";
import { groupDesk } from "../server/group-desk.ts";
import { ProcedureTables } from "../server/procedure-tables.ts";
import { ServerNode } from "../server/server-node.ts";
import { serviceDesk } from "../server/service-desk.ts";
import { c1222Groups } from "./group-protocol.ts";

const AT = Date.parse("2026-11-10T12:03:00Z");
const OWN = "11".repeat(16);
const KEY = { id: 5, hex: "f0".repeat(16) };
const IMAGE_TABLE = 2054;
const CONFIG: GenConfig = {
  dataOrder: "little",
  charFormat: 1,
  timeFormat: 4,
  dataAccessMethod: 1,
  idForm: 0,
  intFormat: 0,
  niFormat1: 0,
  niFormat2: 0,
};
const found = PROFILES.get("generic-us");
if (found?.protocol !== "c1222") throw new Error("the catalogue has generic-us");
const profile: C1222Profile = {
  ...found,
  c1222: {
    ...found.c1222,
    clockSetting: { procedure: { number: 10, manufacturer: false }, toleranceMs: 0, evidence: "unverified" },
    groups: {
      answersWithinSeconds: 20,
      time: { dataOrder: "little", format: 4 },
      imageTable: IMAGE_TABLE,
      evidence: "unverified",
    },
  },
};
const requestOf = (operation: GroupOperation): GroupRequest => ({
  groupTitle: ".9.0.1",
  invocationId: GROUP_INVOCATION_IDS + 7,
  at: AT,
  operation,
});
const ready = (hex: string) => eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(hex)));

/** A member whose clock is five seconds slow, and that keeps what blocks of images it gets. */
function member() {
  let offsetMs = -5_000;
  const image = new Uint8Array(16);
  const procedures = new ProcedureTables({
    config: CONFIG,
    parametersMax: 16,
    now: () => AT,
    procedures: new Map([
      [
        "S10",
        (parameters) => {
          const times = new Writer();
          writeTime(times, "LTIME_DATE", AT + offsetMs, CONFIG);
          offsetMs = (readTime(new Reader(parameters.subarray(1, 5)), "LTIME_DATE", CONFIG) ?? 0) - AT;
          writeTime(times, "LTIME_DATE", AT + offsetMs, CONFIG);
          return { result: 0, data: times.done() };
        },
      ],
    ]),
  });
  const desk = serviceDesk({
    tables: {
      read: (id) => (id === 8 ? procedures.response() : undefined),
      write: (id, offset, data) => {
        if (id === 7) return procedures.initiate(data);
        image.set(data, offset);
        return "ok";
      },
    },
  });
  const node = new ServerNode({
    apTitle: ".30.1",
    securityMode: 2,
    keyOf: (id) => (id === 1 ? ready(OWN) : undefined),
    now: () => AT,
    nextInvocationId: () => 3,
    desk,
    groups: {
      titles: [".9.0.1"],
      keyOf: (id) => (id === KEY.id ? ready(KEY.hex) : undefined),
      desk: groupDesk(desk, { config: () => CONFIG, imageTable: IMAGE_TABLE }),
      ownKeyId: 1,
      delayMs: () => 1_234,
    },
  });
  return { node, image, offsetMs: () => offsetMs };
}
const MEMBER = { title: ".30.1", profile, keys: { unicast: OWN } };

describe("a request to a group", () => {
  it("sets the time, and each member tells by how much it was wrong", async () => {
    const { node, offsetMs } = member();
    const request = requestOf({ kind: "setClock" });
    const answer = node.receive(c1222Groups.compose(profile, request, KEY, nodeCrypto));
    expect(offsetMs()).toBe(0);
    expect(answer?.afterMs).toBe(1_234);
    expect(await c1222Groups.open(answer!.octets, MEMBER, request, nodeCrypto)).toEqual({
      registers: [],
      intervals: [],
      refusals: [],
      clockSet: { beforeMs: -5_000, afterMs: 0 },
    });
  });

  it("brings blocks of images, of which members say nothing", () => {
    const { node, image } = member();
    const operation = { kind: "imageBlock", offset: 4, octets: Uint8Array.of(1, 2, 3) } as const;
    expect(c1222Groups.isAnswered(operation)).toBe(false);
    expect(node.receive(c1222Groups.compose(profile, requestOf(operation), KEY, nodeCrypto))).toBeUndefined();
    expect([...image.subarray(0, 8)]).toEqual([0, 0, 0, 0, 1, 2, 3, 0]);
  });

  it("has only ids of group requests, and is only for models that take them", () => {
    const compose = (change: Partial<GroupRequest>, of = profile) =>
      c1222Groups.compose(of, { ...requestOf({ kind: "setClock" }), ...change }, KEY, nodeCrypto);
    const { groups: _, ...withoutGroups } = profile.c1222;
    const local = { ...profile, c1222: { ...profile.c1222, localTime: { summerTime: "us" } } } as const;
    expect(() => compose({ invocationId: 7 })).toThrow(expect.objectContaining({ code: "group.invocation-id" }));
    expect(() => compose({}, { ...profile, c1222: withoutGroups })).toThrow(
      expect.objectContaining({ code: "c1222.no-groups" }),
    );
    expect(() => compose({}, local)).toThrow(expect.objectContaining({ code: "c1222.no-group-time" }));
    expect(c1222Groups.spreadMs(profile)).toBe(20_000);
  });

  it("tells answers to groups from all other octets", () => {
    const request = c1222Groups.compose(profile, requestOf({ kind: "setClock" }), KEY, nodeCrypto);
    const answer = member().node.receive(request)!.octets;
    expect(c1222Groups.whose(answer)).toEqual({
      title: "2.16.124.113620.1.22.0.30.1",
      invocationId: GROUP_INVOCATION_IDS + 7,
    });
    expect(c1222Groups.whose(request)).toBeUndefined();
    for (let length = 0; length < answer.length; length++)
      expect(c1222Groups.whose(answer.subarray(0, length))).toBeUndefined();
  });

  it("has no answer that was changed in any octet", async () => {
    const request = requestOf({ kind: "setClock" });
    const answer = member().node.receive(c1222Groups.compose(profile, request, KEY, nodeCrypto))!.octets;
    for (let at = 0; at < answer.length; at++) {
      const changed = answer.slice();
      changed[at]! ^= 0x01;
      await expect(c1222Groups.open(changed, MEMBER, request, nodeCrypto), `octet ${at}`).rejects.toMatchObject({
        reason: expect.stringMatching(/^(auth|protocol)$/),
      });
    }
  });
});
