import { describe, expect, it } from "vitest";
import { decode } from "../../wire/codec.ts";
import type { Data } from "../data.ts";
import { dlmsDriver } from "../driver.ts";
import { Wrapper, wrap } from "../wrapper.ts";
import {
  access,
  CLIENT_TITLE,
  contextOf,
  deviceOf,
  holding,
  loopback,
  profileOf,
  type Wire,
} from "./loopback-fixture.ts";

/** Meters that do not say which invocation counter they expect, but show it to the public client. */

const COUNTER = "0.0.43.1.0.255";
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });

/** A meter that has accepted `accepted` and answers a lower counter with `answer` (APDU in hex). */
function setUp(
  accepted: number,
  shown: Data | undefined,
  answer: string,
  part: Partial<ReturnType<typeof access>> = {},
) {
  const wanted = access({ invocationCounter: COUNTER, ...part });
  const objects = shown === undefined ? [] : [holding(1, COUNTER, { 2: shown })];
  const device = deviceOf(objects, wanted, { lastAccepted: accepted });
  const clients = new Map([
    ...device.clients,
    [16, { security: { mechanism: "none" }, objects: () => objects, securitySetup: undefined }] as const,
  ]);
  const vague: Wire = (frame) => {
    const { apdu, ...wrapper } = decode(Wrapper, frame);
    const refused = apdu[0] === 0xd8;
    return [refused ? wrap(wrapper.sourceWPort, wrapper.destinationWPort, Buffer.from(answer, "hex")) : frame];
  };
  const link = loopback({ ...device, clients }, vague);
  const context = contextOf(link, { profile: profileOf({ access: wanted }) });
  return { link, open: () => dlmsDriver.open(context) };
}

const DECIPHERING_ERROR = "d80105";

describe("a refused counter", () => {
  it("is understood by what the public client is shown", async () => {
    const { open } = setUp(5_000, u32(5_000), DECIPHERING_ERROR);
    await expect(open()).rejects.toMatchObject({
      reason: "auth",
      retry: "later",
      code: "dlms.counter-refused",
      detail: { expectedCounter: 5_001 },
    });
  });
  it.each([
    ["the counter shown is below ours", u32(3)],
    ["the object holds no number", { type: "octet-string", value: CLIENT_TITLE } as const],
    ["there is no such object", undefined],
    ["no counter may follow it", u32(0xffff_ffff)],
  ])("stays what the meter called it when %s", async (_, shown) => {
    const { open } = setUp(5_000, shown, DECIPHERING_ERROR);
    await expect(open()).rejects.toMatchObject({ code: "dlms.deciphering-refused" });
  });
  it("is not looked into when the profile names no object, or the meter said enough", async () => {
    const silent = setUp(5_000, u32(5_000), DECIPHERING_ERROR, { invocationCounter: undefined });
    await expect(silent.open()).rejects.toMatchObject({ code: "dlms.deciphering-refused" });
    const clear = setUp(5_000, u32(7_000), "d8010600001389");
    await expect(clear.open()).rejects.toMatchObject({
      code: "dlms.counter-refused",
      detail: { expectedCounter: 5_001 },
    });
    expect([silent.link.sent.length, clear.link.sent.length]).toEqual([1, 1]);
  });
});
