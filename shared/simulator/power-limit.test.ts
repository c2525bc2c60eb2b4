import { describe, expect, it } from "vitest";
import type { Operation } from "../metering/operation.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import { type Lab, lab, meterSession, NOON } from "./meter-lab-fixture.ts";

const LIMIT = { watts: 4_000, overSeconds: 120, underSeconds: 600, over: "disconnect", under: "none" } as const;
const SECOND = NOON - (NOON % 1000);
const EMERGENCY = {
  profileId: 7,
  watts: 1_000,
  activateAt: SECOND + 3_600_000,
  durationSeconds: 7_200,
  groupIds: [7, 9],
};
const set = (part: Partial<Extract<Operation, { kind: "setPowerLimit" }>>): Operation => ({
  kind: "setPowerLimit",
  limit: LIMIT,
  ...part,
});
const perform = async (of: Lab, operation: Operation, mayChange?: () => Promise<void>) =>
  (await meterSession(of)).perform(operation, mayChange);
const WITH_LIMITER = [...PROFILES.values()].flatMap((profile) =>
  profile.protocol === "dlms" && profile.dlms.limiter !== undefined && profile.name !== "idis-p2-mbus"
    ? [profile.name]
    : [],
);

describe("the power limit of a simulated meter", () => {
  it.each(WITH_LIMITER)("of %s is set, shown, and taken away again", async (name) => {
    const of = lab(name);
    const before = (await perform(of, { kind: "readPowerLimit" })).powerLimit;
    expect(before).toEqual({ limit: null, emergency: null, emergencyActive: false, activeWatts: null });
    const shown = (await perform(of, set({ emergency: EMERGENCY }))).powerLimit;
    expect(shown).toEqual({ limit: LIMIT, emergency: EMERGENCY, emergencyActive: false, activeWatts: 4_000 });
    expect((await perform(of, { kind: "readPowerLimit" })).powerLimit).toEqual(shown);
    const removed = (await perform(of, set({ limit: null, emergency: null }))).powerLimit;
    expect(removed).toEqual(before);
  });

  it("is in force for the time of its emergency, and no longer", async () => {
    const of = lab("idis-p2");
    await perform(of, set({ limit: null, emergency: EMERGENCY }));
    of.clock.pass(3_700_000);
    expect((await perform(of, { kind: "readPowerLimit" })).powerLimit).toMatchObject({
      limit: null,
      emergencyActive: true,
      activeWatts: 1_000,
    });
    of.clock.pass(7_200_000);
    expect((await perform(of, { kind: "readPowerLimit" })).powerLimit).toMatchObject({ activeWatts: null });
  });

  it("opens the switch of a load that stays above it for long enough, and says so", async () => {
    const of = lab("idis-p2");
    await perform(of, set({ limit: { ...LIMIT, watts: 1 } }));
    of.clock.pass(60_000);
    expect((await perform(of, { kind: "readSwitch" })).switch?.position).toBe("closed");
    of.clock.pass(60_000);
    await perform(of, { kind: "readSwitch" });
    of.clock.pass(1_000);
    expect((await perform(of, { kind: "readSwitch" })).switch).toEqual({ position: "armed", contactClosed: false });
    const range = { from: SECOND - 60_000, to: SECOND + 600_000 };
    const { events } = await perform(of, { kind: "readEvents", range });
    expect(events?.map(({ event }) => event)).toEqual(expect.arrayContaining(["limit.exceeded", "switch.opened"]));
  });

  it("leaves the switch alone where its action is none", async () => {
    const of = lab("idis-p2");
    await perform(of, set({ limit: { ...LIMIT, watts: 1, over: "none" } }));
    of.clock.pass(600_000);
    await perform(of, { kind: "readSwitch" });
    of.clock.pass(1_000);
    expect((await perform(of, { kind: "readSwitch" })).switch?.position).toBe("closed");
  });

  it("is not asked for where it stands so already, and nothing is sent where the last question says no", async () => {
    const of = lab("idis-p2");
    let asked = 0;
    const counting = async () => void asked++;
    await perform(of, set({}), counting);
    await perform(of, set({}), counting);
    expect(asked).toBe(1);
    const no = async () => {
      throw new Error("held back");
    };
    await expect(perform(of, set({ limit: null }), no)).rejects.toThrow("held back");
    expect((await perform(of, { kind: "readPowerLimit" })).powerLimit?.limit).toEqual(LIMIT);
  });
});
