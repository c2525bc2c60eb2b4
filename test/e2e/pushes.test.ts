import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, until } from "./deployment.ts";

const METERS = 10;
const FACTOR = 60;
const QUARTER_MS = 900_000;

interface ReadingsView {
  readonly intervals: readonly {
    readonly channelSet: string;
    readonly entries: readonly { readonly end: string; readonly values: readonly unknown[]; readonly batch: string }[];
  }[];
}

describe("simulated DLMS meters that push", () => {
  let headend: Deployment;
  let meters: readonly string[];
  const began = Math.floor(Date.now() / QUARTER_MS) * QUARTER_MS;
  beforeAll(async () => {
    headend = await Deployment.start(
      ["--meters", String(METERS), "--protocols", "dlms=1", "--attached", "0.3", "--seed", "1"],
      { HEADRACE_CLOCK: `${new Date(began).toISOString()}*${FACTOR}` },
    );
    const { body } = await headend.call<{ meters: readonly { meterId: string }[] }>("operator", "GET", "/meters");
    meters = body.meters.map(({ meterId }) => meterId);
  }, 240_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  const load = async (meterId: string) => {
    const range = new URLSearchParams({
      from: new Date(began).toISOString(),
      to: new Date(began + 100 * QUARTER_MS).toISOString(),
    });
    const { body } = await headend.call<ReadingsView>("operator", "GET", `/meters/${meterId}/readings?${range}`);
    return body.intervals.find(({ channelSet }) => channelSet === "load")?.entries ?? [];
  };

  it("have their load profiles stored though nobody asked, by connections of their own, held ones and datagrams", async () => {
    expect(meters).toHaveLength(METERS);
    const pushed = await until(90_000, "eight meters in ten to have pushed", async () => {
      const found = await Promise.all(meters.map(async (meterId) => [meterId, await load(meterId)] as const));
      const with2 = found.filter(([, entries]) => entries.length >= 2);
      return with2.length >= 8 ? with2 : undefined; // the others have no keys to prove themselves by
    });
    const accepted = await headend.runJob({
      operation: {
        kind: "readIntervals",
        range: {
          from: new Date(began - 3 * QUARTER_MS).toISOString(),
          to: new Date(began + 12 * QUARTER_MS).toISOString(),
        },
      },
      target: { kind: "all" },
      lane: "urgent",
    });
    expect(accepted.progress).toMatchObject({ done: METERS });
    for (const [meterId, before] of pushed) {
      const after = await load(meterId);
      const ends = after.map(({ end }) => end);
      expect(new Set(ends).size, "each interval once").toBe(ends.length);
      for (const entry of before)
        expect(
          after.find(({ end }) => end === entry.end),
          "what was pushed stays as it was",
        ).toEqual(entry);
    }
  }, 240_000);

  it("push as they are told to by a job: no more, and then again", async () => {
    const pushing = await Promise.all(meters.map(async (meterId) => [meterId, (await load(meterId)).length] as const));
    const [told, other] = pushing.filter(([, entries]) => entries >= 2).map(([meterId]) => meterId);
    const configure = async (operation: object) => {
      const { progress } = await headend.runJob({
        operation: { kind: "configurePush", content: "intervals", ...operation },
        target: { kind: "meters", meterIds: [told] },
        reason: "A test of pushes",
      });
      expect(progress).toMatchObject({ done: 1 });
    };
    const newest = async (meterId = ""): Promise<number> =>
      Math.max(0, ...(await load(meterId)).map(({ end }) => Date.parse(end)));
    await configure({ enabled: false });
    const last = await newest(told);
    const seen = await newest(other);
    await until(90_000, "three more pushes of another meter", async () =>
      (await newest(other)) >= seen + 3 * QUARTER_MS ? true : undefined,
    );
    // What was on its way when it was told has still come.
    expect(await newest(told)).toBeLessThanOrEqual(last + QUARTER_MS);
    await configure({ enabled: true, every: 900 });
    await until(90_000, "pushes again", async () => ((await newest(told)) >= last + 3 * QUARTER_MS ? true : undefined));
  }, 300_000);
});
