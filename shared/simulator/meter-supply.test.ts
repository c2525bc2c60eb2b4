import { expect, it } from "vitest";
import { MeterSupply } from "./meter-supply.ts";

const FRAME = [Uint8Array.of(1)];
const supply = (): { readonly supply: MeterSupply; readonly recorded: string[] } => {
  const recorded: string[] = [];
  return { supply: new MeterSupply((event) => recorded.push(event)), recorded };
};

it("says its last gasp once, and nothing more until it is back, which it says", () => {
  const { supply: meter, recorded } = supply();
  expect(meter.leaving(FRAME)).toEqual(FRAME);
  expect(meter.set(false, { told: true })).toBe(true);
  expect(meter.set(false, { told: true })).toBe(false);
  expect(meter.leaving([])).toEqual([]);
  expect(meter.leaving(FRAME)).toEqual(FRAME);
  expect(meter.leaving(FRAME)).toEqual([]);
  meter.set(true, { told: true });
  expect(meter.leaving(FRAME)).toEqual(FRAME);
  expect(recorded).toEqual(["power.failed", "power.restored"]);
});

it("is not heard where its last gasp, or its notice, is lost", () => {
  const { supply: meter } = supply();
  meter.set(false, { told: false });
  expect(meter.leaving(FRAME)).toEqual([]);
  meter.set(true, { told: false });
  expect(meter.leaving(FRAME)).toEqual([]);
  expect(meter.leaving(FRAME)).toEqual(FRAME);
});
