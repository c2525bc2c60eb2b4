import { describe, expect, it } from "vitest";
import { type Behind, behindOf, behindPath, behindText, latencyText, rateText } from "./kpi-text.ts";

describe("texts of key figures", () => {
  it("a rate says 100 % only of all", () => {
    expect(rateText({ rate: 1 })).toBe("100.00 %");
    expect(rateText({ rate: 0.99999 })).toBe("99.99 %");
    expect(rateText({ rate: 0 })).toBe("0.00 %");
    expect(rateText({ rate: null })).toBe("none");
  });

  it("a latency has the unit that fits it", () => {
    expect([undefined, 240, 9_990, 61_400, 7_200_000].map(latencyText)).toEqual([
      "none",
      "0.2 s",
      "10.0 s",
      "61 s",
      "120 min",
    ]);
  });

  it.each<Behind>([
    { list: "silent", window: "week" },
    { list: "failed", reason: "timeout" },
    { list: "gaps", day: "2026-11-02" },
    { list: "excluded" },
  ])("the path of the list $list leads back to it", (behind) => {
    const query = new URL(behindPath(behind), "http://console").searchParams;
    expect(behindOf(query)).toEqual(behind);
    expect(behindText(behind)).toMatch(/^Meters /);
  });

  it("a query without a list leads to none", () => expect(behindOf(new URLSearchParams("list=x"))).toBeUndefined());
});
