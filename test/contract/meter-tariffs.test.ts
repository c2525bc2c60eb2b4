import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoMeterTariffs } from "../../functions/adapters/dynamo-meter-tariffs.ts";
import { dynamoTariffVersions } from "../../functions/adapters/dynamo-named.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { memoryMeterTariffs } from "../../shared/pricing/memory-meter-tariffs.ts";
import { type MeterTariff, type MeterTariffs, standing, tariffKeeper } from "../../shared/pricing/meter-tariffs.ts";
import { calendarDigest, type Tariff } from "../../shared/pricing/tariff.ts";
import { CALENDAR } from "../conformance/calendars.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const NOW = Date.UTC(2026, 10, 10, 12);
const DIGEST = calendarDigest(nodeCrypto, CALENDAR);
const OTHER = "0".repeat(64);
const jobId = JobId.parse("t".repeat(26));
const fact = (segment: number, slot: number, rest: Partial<MeterTariff> = {}): MeterTariff => ({
  meterId: MeterId.parse(`M-${segment}-${slot}`),
  segment,
  slot,
  shown: { active: { name: "FACTORY", digest: OTHER } },
  seenAt: NOW,
  ...rest,
});

describe.each([
  ["in memory", () => memoryMeterTariffs()],
  ["in DynamoDB", () => dynamoMeterTariffs(dynamo.db, "Readings")],
] as [string, () => MeterTariffs][])("what meters hold of tariffs, %s", (_name, open) => {
  it("is what they showed last, and the order that was done last", async () => {
    const store = open();
    const ordered = { digest: DIGEST, jobId };
    await store.note(fact(7, 1, { ordered }));
    await store.note(fact(7, 1, { seenAt: NOW - 1, shown: { active: { name: "OLD" } } }));
    expect(await store.of({ segment: 7, slot: 1 })).toEqual(fact(7, 1, { ordered }));
    const shown = { active: { name: "RES-7", digest: DIGEST } };
    await store.note(fact(7, 1, { seenAt: NOW + 1, shown }));
    expect(await store.of({ segment: 7, slot: 1 })).toEqual(fact(7, 1, { seenAt: NOW + 1, shown, ordered }));
    expect(await store.of({ segment: 7, slot: 2 })).toBeUndefined();
  });

  it("is paged through, each meter once", async () => {
    const store = open();
    const places = [0, 1, 63, 64, 65, 128].flatMap((segment) => [0, 3, 1023].map((slot) => [segment, slot] as const));
    for (const [segment, slot] of places) await store.note(fact(segment, slot));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.page(4, cursor);
      expect(page.facts.length).toBeLessThanOrEqual(4);
      seen.push(...page.facts.map(({ meterId }) => meterId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    for (const [segment, slot] of places) expect(seen).toContain(`M-${segment}-${slot}`);
  });

  it("is kept of reports that show it, with the order that brought it", async () => {
    const store = open();
    const keeper = tariffKeeper(store, nodeCrypto);
    const report = {
      slot: 9,
      meterId: MeterId.parse("M-9"),
      attempt: 1,
      at: NOW,
      outcome: { kind: "done" },
      tariff: { active: { name: "RES-7", digest: DIGEST } },
    } as const;
    const job = { jobId, operation: { kind: "programTariff", calendar: CALENDAR } } as never;
    await keeper.keep({ segment: 5, reference: "r", job, sentAt: NOW, reports: [report] });
    expect(await store.of({ segment: 5, slot: 9 })).toMatchObject({
      shown: report.tariff,
      ordered: { digest: DIGEST, jobId },
    });
  });
});

describe("how a meter stands to a calendar", () => {
  const waiting = {
    active: { name: "FACTORY", digest: OTHER },
    passive: { name: "RES-7", digest: DIGEST },
    activatesAt: NOW + 60_000,
  };
  it.each([
    ["active once it shows it so", { active: { name: "RES-7", digest: DIGEST } }, NOW, "active"],
    ["pending before its time", waiting, NOW, "pending"],
    ["due when nobody has looked since", waiting, NOW + 60_000, "due"],
    ["different where its time was set away", { ...waiting, activatesAt: undefined }, NOW, "differs"],
    ["different where it shows another one", { active: { name: "X" } }, NOW, "differs"],
  ] as const)("%s", (_, shown, now, expected) => {
    const { activatesAt, ...rest } = { activatesAt: undefined, ...shown } as typeof waiting & { activatesAt?: number };
    const known = { ...rest, ...(activatesAt === undefined ? {} : { activatesAt }) };
    expect(standing(fact(1, 1, { shown: known }), DIGEST, now)).toBe(expected);
  });
  it("different where it was looked at after its time and still waits", () =>
    expect(standing(fact(1, 1, { shown: waiting, seenAt: NOW + 120_000 }), DIGEST, NOW + 200_000)).toBe("differs"));
});

describe("versions of tariffs in DynamoDB", () => {
  it("never change, and are listed by id and version", async () => {
    const tariffs = dynamoTariffVersions(dynamo.db, "Ledger");
    const price = { currency: "EUR", value: 2543, scaler: -4 };
    const tariff = (tariffId: string, version: number): Tariff => ({
      tariffId,
      version,
      content: { calendar: CALENDAR, prices: [1, 2, 3].map((tier) => ({ tier, price })) },
      digest: DIGEST,
      createdAt: NOW,
      by: { id: "somebody" },
    });
    for (const version of [10, 2, 1]) expect(await tariffs.create(tariff("res", version))).toBe("created");
    expect(await tariffs.create({ ...tariff("res", 2), createdAt: NOW + 1 })).toBe("exists");
    expect(await tariffs.read("res", 2)).toEqual(tariff("res", 2));
    expect(await tariffs.read("res", 3)).toBeUndefined();
    expect((await tariffs.list()).map(({ version }) => version)).toEqual([1, 2, 10]);
  });
});
