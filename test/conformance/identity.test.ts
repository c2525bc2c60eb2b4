import { describe, expect, it } from "vitest";
import { NOON } from "../../shared/simulator/meter-lab-fixture.ts";
import { C1222, DLMS, type Side, standingClock, withoutEquipment } from "./two-protocols.ts";

const SAID = { dlms: { firmware: "HRS-2.4.1", program: "FACTORY" }, c1222: { firmware: "2.4", program: "FACTORY" } };

/** Reads the registers in a session of its own; how many frames that took. */
async function read(side: Side, trial: Partial<Parameters<Side["open"]>[0]>) {
  let frames = 0;
  const session = await side.open({ clock: standingClock(NOON), onFrame: () => void frames++, ...trial });
  const result = await session.perform({ kind: "readRegisters" });
  await session.release();
  return { result, frames };
}

describe.each([DLMS, C1222])("what a meter says of itself over $protocol", (side) => {
  it("comes with the clock, in no message more than without", async () => {
    const plain = await read(side, {});
    const asked = await read(side, { asksIdentity: true });
    expect(plain.result.identity).toBeUndefined();
    expect(asked.result.identity).toEqual(SAID[side.protocol]);
    expect(asked.frames).toBe(plain.frames);
    expect(asked.result.registers).toEqual(plain.result.registers);
  });

  it("is left out where the device profile says nowhere to ask, and nothing else is missed for it", async () => {
    const profile = withoutEquipment(side.profile);
    const { result } = await read(side, { asksIdentity: true, profile });
    expect(result.identity?.program).toBeUndefined();
    expect(result.registers.length).toBeGreaterThan(0);
    expect(result.refusals).toEqual([]);
  });
});
