import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoAudit } from "../../functions/adapters/dynamo-audit.ts";
import { dynamoAuthority } from "../../functions/adapters/dynamo-authority.ts";
import { dynamoGuards } from "../../functions/adapters/dynamo-guards.ts";
import { Calendar } from "../../shared/jobs/calendar.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { type AuditStore, linkAfter } from "../../shared/security/audit.ts";
import { memoryAudit } from "../../shared/security/memory-audit.ts";
import { CAUTIOUS, type Stop } from "../../shared/switching/authority.ts";
import { DEFAULT_GUARDS } from "../../shared/switching/guard.ts";
import type { GuardStore } from "../../shared/switching/guard-desk.ts";
import { memoryGuards } from "../../shared/switching/memory-guards.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const NOW = 1_764_300_000_123;
const guards: readonly [string, () => GuardStore][] = [
  ["in memory", memoryGuards],
  ["in DynamoDB", () => dynamoGuards(dynamo.db, "Authority")],
];
describe.each(guards)("guards %s", (_name, open) => {
  it("give back what was written, under their version", async () => {
    const store = open();
    const stored = async () => (await store.read(["opening/feeder/F", "opening/feeder/none"])).get("opening/feeder/F");
    expect((await stored())?.version ?? 0).toBe(0);
    const reservations = [
      { task: "00ff00ff00ff00ff", at: NOW, watts: 2_000 },
      { task: "ffffffffffffffff", at: 0x1_0000_0000, watts: 0xffff_ffff },
    ];
    expect(await store.write("opening/feeder/F", 0, reservations)).toBe("written");
    expect(await store.write("opening/feeder/F", 0, [])).toBe("conflict");
    expect(await stored()).toEqual({ version: 1, reservations });
    expect(await store.write("opening/feeder/F", 1, [])).toBe("written");
    expect(await stored()).toEqual({ version: 2, reservations: [] });
  });
});

const audits: readonly [string, () => AuditStore][] = [
  ["in memory", memoryAudit],
  ["in DynamoDB", () => dynamoAudit(dynamo.db, "Audit")],
];
describe.each(audits)("audit chains %s", (_name, open) => {
  it("take each number once and give the last link, and all from one on", async () => {
    const store = open();
    expect(await store.last(3)).toBeUndefined();
    const entry = { at: NOW, by: { id: "a" }, action: "stop.set", detail: { acts: "switching" } };
    const first = linkAfter(nodeCrypto, 3, undefined, entry);
    const second = linkAfter(nodeCrypto, 3, first, { ...entry, at: NOW + 1 });
    expect([await store.put(first), await store.put(first), await store.put(second)]).toEqual([
      "written",
      "conflict",
      "written",
    ]);
    expect(await store.last(3)).toEqual(second);
    const seen = [];
    for await (const link of store.from(3, 2)) seen.push(link);
    expect(seen).toEqual([second]);
  });
});

describe("the authority item", () => {
  it("keeps stops and policy beside Region and epoch, under a version of their own", async () => {
    const authority = dynamoAuthority(dynamo.db, "Authority");
    await authority.seed("eu-west-1");
    const none = { stops: [], moratoria: [], policy: CAUTIOUS };
    expect(await authority.active()).toEqual({ epoch: 1, region: "eu-west-1", ...none, rules: 0 });
    const stop: Stop = { stopId: "1", acts: "opening", reason: "frost", by: { id: "a" }, at: NOW, until: NOW + 1 };
    const calendar = Calendar.parse({ name: "winter", timeZone: "UTC", seasons: [{ from: "11-01", to: "03-31" }] });
    const winter = { moratoriumId: "2", calendar, reason: "cold", by: { id: "a" }, at: NOW };
    expect(await authority.writeRules(0, { ...none, stops: [stop], moratoria: [winter] })).toBe(true);
    expect(await authority.writeRules(0, none)).toBe(false);
    expect(await authority.beginEpoch(1, "eu-central-1")).toBe(true);
    expect(await authority.active()).toMatchObject({
      epoch: 2,
      region: "eu-central-1",
      stops: [stop],
      moratoria: [winter],
    });
    expect(await authority.guards()).toEqual(DEFAULT_GUARDS);
    await authority.setGuards({ ...DEFAULT_GUARDS, approveAbove: 3 });
    expect((await authority.guards()).approveAbove).toBe(3);
  });
});
