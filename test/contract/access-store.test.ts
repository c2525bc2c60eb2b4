import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoAccess } from "../../functions/adapters/dynamo-access.ts";
import { memoryAccess } from "../../shared/bridge/memory-access.ts";
import type { AccessEnrolment, AccessItem, AccessStore, MeterIdentities } from "../../shared/jobs/access.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { DialRoute, RelayRoute } from "../../shared/metering/route.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { EPOCH_JUMP } from "../../shared/security/counters.ts";
import { type EmbeddedDynamo, embeddedDynamo, TABLES } from "./embedded-dynamo.ts";

const item = (segment: number, slot: number, change: Partial<AccessItem> = {}): AccessItem => ({
  segment,
  slot,
  meterId: MeterId.parse(`meter-${segment}-${slot}`),
  routes: [{ kind: "dial", host: "127.0.0.1", port: 4059, transport: "tcp" }],
  profile: { name: "generic-eu", version: 1 },
  systemTitle: "4852440000000001",
  sealedKeys: { blob: fromHex("00ff10"), version: 3 },
  counterOffset: 0n,
  releasedBase: 0n,
  lastOrder: 0,
  flags: { medical: false, priority: true, moratorium: false },
  ...change,
});

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo(TABLES.slice(1, 2).map((table) => ({ ...table, TableName: "Access" })));
});
afterAll(() => dynamo.close());

const stores: readonly [string, () => AccessStore & AccessEnrolment & MeterIdentities][] = [
  ["in memory", () => memoryAccess()],
  ["in DynamoDB", () => dynamoAccess(dynamo.db, "Access")],
];

describe.each(stores)("the access store %s", (_name, open) => {
  it("gives back what enrolment wrote, octets and 64-bit values included", async () => {
    const store = open();
    const whole = item(1, 7, {
      collector: "col-1",
      cell: "cell-1",
      counterOffset: -(2n ** 63n),
      offsetFloor: 2n ** 63n + 1n,
      offsetRaises: { day: 20_780, sum: 2n ** 19n },
      releasedBase: 2n ** 60n,
      hold: { owner: "job-1", until: 5_000, base: 2n ** 62n + 3n },
      attached: { task: "t", address: "::1", connection: "c", seq: 4 },
      attachedSeq: 4,
    });
    expect(await store.createAccessItem(whole)).toBe("created");
    expect(await store.read({ segment: 1, slot: 7 })).toEqual(whole);
    const { systemTitle: _title, sealedKeys: _keys, ...unsecured } = item(1, 8);
    await store.createAccessItem(unsecured);
    expect(await store.read({ segment: 1, slot: 8 })).toEqual(unsecured);
    expect(await store.read({ segment: 1, slot: 9 })).toBeUndefined();
  });

  it("allocates a slot once, and recognises its own repetition", async () => {
    const store = open();
    expect(await store.createAccessItem(item(2, 0))).toBe("created");
    expect(await store.createAccessItem(item(2, 0))).toBe("own");
    expect(await store.createAccessItem(item(2, 0, { meterId: MeterId.parse("another") }))).toBe("taken");
    expect((await store.read({ segment: 2, slot: 0 }))?.meterId).toBe("meter-2-0");
  });

  it("reads a whole segment in batches and leaves out slots that do not exist", async () => {
    const store = open();
    const slots = Array.from({ length: 230 }, (_, index) => index * 3);
    await Promise.all(slots.map((slot) => store.createAccessItem(item(3, slot))));
    const found = await store.readMany(
      3,
      Array.from({ length: 690 }, (_, slot) => slot),
    );
    expect(found.map(({ slot }) => slot).toSorted((a, b) => a - b)).toEqual(slots);
    expect(await store.readMany(3, [])).toEqual([]);
  });

  it("leases disjoint blocks to any number of bridges at once", async () => {
    const store = open();
    const leases = await Promise.all(Array.from({ length: 40 }, (_, index) => store.leaseCounters(4, 10 + index, 1)));
    const sorted = leases.toSorted((a, b) => Number(a.base - b.base));
    let end = 0n;
    for (const lease of sorted) {
      expect(lease.base).toBe(end);
      end += BigInt(lease.size);
    }
    expect((await store.leaseCounters(5, 64, 1)).base).toBe(0n);
  });

  it("leases beyond 2^53 without losing a digit", async () => {
    const store = open();
    await store.leaseCounters(6, 3, 1);
    const epochs = 2 ** 40; // 2^62 counters further on
    const first = await store.leaseCounters(6, 5, epochs);
    expect(first.base).toBe(3n + EPOCH_JUMP * BigInt(epochs - 1));
    expect((await store.leaseCounters(6, 7, epochs)).base).toBe(first.base + 5n);
  });

  it("starts a new epoch with a jump, once, and refuses those of the epoch before", async () => {
    const store = open();
    const before = await store.leaseCounters(7, 100, 1);
    const leases = await Promise.all(Array.from({ length: 8 }, () => store.leaseCounters(7, 100, 2)));
    const bases = leases.map(({ base }) => base).toSorted((a, b) => Number(a - b));
    expect(bases[0]).toBe(before.base + 100n + EPOCH_JUMP);
    expect(bases.at(-1)).toBe(bases[0]! + 700n);
    await expect(store.leaseCounters(7, 100, 1)).rejects.toMatchObject({ code: "epoch.stale", reason: "internal" });
    // A segment that the restored copy does not know may have had leases too.
    expect((await store.leaseCounters(8, 100, 2)).base).toBe(EPOCH_JUMP);
  });

  it("raises an offset, never lowers it, and settles only what it raised", async () => {
    const store = open();
    const at = { segment: 9, slot: 1 };
    const { meterId } = item(9, 1);
    await store.createAccessItem(item(9, 1));
    const raises = { day: 20_000, sum: 50n };
    expect(await store.raiseOffset(at, meterId, 50n, { was: 1n, raises })).toBe(false);
    expect(await store.raiseOffset(at, MeterId.parse("another"), 50n)).toBe(false);
    expect(await store.settleOffset(at, meterId, 0n, 9n)).toBe(false);
    expect(await store.raiseOffset(at, meterId, 50n, { was: 0n, raises })).toBe(true);
    expect(await store.read(at)).toMatchObject({ counterOffset: 50n, offsetFloor: "unsettled", offsetRaises: raises });
    expect(await store.settleOffset(at, meterId, 49n, 9n)).toBe(false);
    expect(await store.settleOffset(at, meterId, 50n, 9n)).toBe(true);
    expect(await store.settleOffset(at, meterId, 50n, 10n)).toBe(false);
    expect(await store.raiseOffset(at, meterId, 50n)).toBe(false);
    expect(await store.raiseOffset(at, meterId, 49n)).toBe(false);
    expect(await store.read(at)).toMatchObject({ counterOffset: 50n, offsetFloor: 9n, offsetRaises: raises });
    expect(await store.raiseOffset({ segment: 9, slot: 2 }, meterId, 1n)).toBe(false);
  });

  it("gives a hold to one owner until it expires or is released", async () => {
    const store = open();
    const at = { segment: 10, slot: 1 };
    expect(await store.takeHold(at, "a", 1_000, 5n, 0)).toBe(false); // no such meter
    await store.createAccessItem(item(10, 1));
    expect(await store.takeHold(at, "a", 1_000, 5n, 0)).toBe(true);
    expect(await store.takeHold(at, "b", 2_000, 6n, 999)).toBe(false);
    expect(await store.takeHold(at, "a", 1_500, 5n, 999)).toBe(true); // renewed
    expect(await store.takeHold(at, "b", 2_000, 6n, 1_000)).toBe(false);
    expect(await store.takeHold(at, "b", 2_000, 600n, 1_500)).toBe(true);
    expect(await store.releaseHold(at, "a", 5n)).toBe(false);
    expect(await store.releaseHold(at, "b", 600n)).toBe(true);
    expect(await store.releaseHold(at, "b", 600n)).toBe(false);
    const free = await store.read(at);
    expect(free?.hold).toBeUndefined();
    expect(free?.releasedBase).toBe(600n);
    await store.takeHold(at, "a", 9_000, 5n, 8_000);
    await store.releaseHold(at, "a", 5n);
    expect((await store.read(at))?.releasedBase).toBe(600n);
  });

  it("keeps the newest connection of a meter, and removes only the one that is named", async () => {
    const store = open();
    const at = { segment: 12, slot: 3 };
    const { meterId } = item(12, 3);
    await store.createAccessItem(item(12, 3));
    const connection = (seq: number) => ({ task: `t${seq}`, address: "10.0.0.1:4060", connection: `c${seq}`, seq });
    expect(await store.attach(at, MeterId.parse("another"), connection(1), 9n)).toBe(false);
    expect(await store.attach({ segment: 12, slot: 4 }, meterId, connection(1), 9n)).toBe(false);
    expect(await store.detach(at, "c1")).toBe(false);
    expect(await store.attach(at, meterId, connection(2), 10n)).toBe(true);
    expect(await store.attach(at, meterId, connection(1), 9n)).toBe(false);
    expect(await store.attach(at, meterId, { ...connection(2), connection: "other" }, 10n)).toBe(false);
    expect((await store.read(at))?.attached).toEqual(connection(2));
    expect(await store.attach(at, meterId, connection(3), 9n), "a command has used a higher base").toBe(false);
    expect(await store.attach(at, meterId, connection(3), 2n ** 60n)).toBe(true);
    expect(await store.detach(at, "c2")).toBe(false);
    expect(await store.detach(at, "c3")).toBe(true);
    expect(await store.detach(at, "c3")).toBe(false);
    expect(await store.read(at)).toEqual({ ...item(12, 3), attachedSeq: 3, releasedBase: 2n ** 60n });
    expect(await store.attach(at, meterId, connection(3), 2n ** 61n)).toBe(false);
    expect(await store.attach(at, meterId, connection(4), 2n ** 60n)).toBe(true);
  });

  it("keeps where a meter has registered, as it keeps a connection", async () => {
    const store = open();
    const { meterId, ...at } = item(44, 0);
    await store.createAccessItem(item(44, 0));
    const relayed = { kind: "relay", host: "::1", port: 1153, transport: "udp", path: [".30"] } satisfies RelayRoute;
    const dialled = { kind: "dial", host: "192.0.2.1", port: 1153, transport: "tcp" } satisfies DialRoute;
    for (const [seq, route] of [relayed, dialled].entries()) {
      const entry = { route, until: 1_800_000_000_000, connection: `r${seq}`, seq: seq + 1 };
      expect(await store.attach(at, meterId, entry, 0n)).toBe(true);
      expect((await store.read(at))?.attached).toEqual(entry);
    }
    expect(await store.detach(at, "r0")).toBe(false);
    expect(await store.detach(at, "r1")).toBe(true);
  });

  it("keeps the newest that a meter says of itself, of its own slot alone", async () => {
    const store = open();
    const place = { segment: 14, slot: 1 };
    const { meterId } = item(14, 1);
    await store.createAccessItem(item(14, 1));
    expect(await store.identify(place, meterId, { firmware: "2.0", program: "A", at: 10 })).toBe(true);
    expect(await store.identify(place, meterId, { firmware: "1.0", at: 9 })).toBe(false);
    expect(await store.identify(place, MeterId.parse("another"), { firmware: "9.9", at: 11 })).toBe(false);
    expect((await store.read(place))?.identity).toEqual({ firmware: "2.0", program: "A", at: 10 });
    expect(await store.identify(place, meterId, { at: 11 })).toBe(true);
    expect((await store.read(place))?.identity).toEqual({ at: 11 });
  });

  it("lets one order at a time put credit into a meter, until its time is over", async () => {
    const store = open();
    const place = { segment: 42, slot: 0 };
    await store.createAccessItem(item(42, 0));
    expect(await store.claimCredit(place, "one", 2_000, 1_000)).toBe(true);
    expect(await store.claimCredit(place, "one", 3_000, 1_000)).toBe(true);
    expect(await store.claimCredit(place, "two", 9_000, 2_999)).toBe(false);
    expect((await store.read(place))?.creditClaim).toEqual({ by: "one", until: 3_000 });
    expect(await store.releaseCredit(place, "two")).toBe(false);
    expect(await store.claimCredit(place, "two", 9_000, 3_000)).toBe(true);
    expect(await store.releaseCredit(place, "one")).toBe(false);
    expect(await store.releaseCredit(place, "two")).toBe(true);
    expect((await store.read(place))?.creditClaim).toBeUndefined();
    expect(await store.claimCredit({ segment: 42, slot: 1 }, "one", 2_000, 1_000)).toBe(false);
    expect(await store.read({ segment: 42, slot: 1 })).toBeUndefined();
  });

  it("keeps the newest order of a meter, whichever is accepted first", async () => {
    const store = open();
    const place = { segment: 41, slot: 0 };
    await store.createAccessItem(item(41, 0));
    const order = 1_800_000_000_000 * 1024;
    expect(await store.acceptOrder(place, order)).toBe(true);
    expect(await store.acceptOrder(place, order)).toBe(true);
    expect(await store.acceptOrder(place, order - 1)).toBe(false);
    expect(await store.acceptOrder(place, order + 1)).toBe(true);
    expect((await store.read(place))?.lastOrder).toBe(order + 1);
    expect(await store.acceptOrder({ segment: 41, slot: 1 }, order)).toBe(false);
    expect(await store.read({ segment: 41, slot: 1 })).toBeUndefined();
  });
});
