import { describe, expect, it } from "vitest";
import type { IntervalSet } from "../metering/result.ts";
import type { Link } from "../ports/link.ts";
import { LinkError } from "../ports/link.ts";
import { lab, meterSession, NOON, profileOf } from "./meter-lab-fixture.ts";

const DAY = 86_400_000;
const QUARTER = 900_000;
/** Over the Sunday on which clocks are put back in Europe, 2026-10-25. */
const RANGE = { from: Date.parse("2026-10-20T00:00:00Z"), to: Date.parse("2026-11-03T00:00:00Z") };

describe("a read of two weeks", () => {
  it("is asked for in parts and brings every interval once, over the change of the clocks too", async () => {
    const of = lab("generic-eu");
    const parts: IntervalSet[] = [];
    const session = await meterSession(of, { onIntervals: (part) => parts.push(part) });
    const { intervals } = await session.perform({ kind: "readIntervals", range: RANGE });
    const ends = intervals[0]?.entries.map(({ end }) => end) ?? [];
    expect(ends).toEqual(Array.from({ length: 14 * 96 }, (_, index) => RANGE.from + (index + 1) * QUARTER));
    expect(parts.map(({ entries }) => entries.length)).toEqual([400, 400, 400, 144]);
    expect(parts.flatMap(({ entries }) => entries)).toEqual(intervals[0]?.entries);
  });

  it("that breaks off has brought the parts before", async () => {
    const of = lab("generic-eu");
    const parts: IntervalSet[] = [];
    let left = Number.POSITIVE_INFINITY;
    const breaking = (link: Link): Link => ({
      ...link,
      kind: link.kind,
      send: (octets) => link.send(octets),
      close: () => link.close(),
      receive: async (deadline) => {
        if (left-- <= 0) throw new LinkError("link.closed", "the meter hung up");
        return link.receive(deadline);
      },
    });
    const session = await meterSession(of, {
      link: breaking,
      onIntervals: (part) => {
        parts.push(part);
        if (parts.length === 2) left = 3;
      },
    });
    await expect(session.perform({ kind: "readIntervals", range: RANGE })).rejects.toMatchObject({
      reason: "interrupted",
    });
    expect(parts.flatMap(({ entries }) => entries)).toHaveLength(800);
  });

  it("brings each of several profiles, in its own rhythm", async () => {
    const of = lab(profileOf("idis-p2"));
    const session = await meterSession(of);
    const range = { from: NOON - (NOON % DAY) - 3 * DAY, to: NOON - (NOON % DAY) };
    const { intervals } = await session.perform({ kind: "readIntervals", range });
    expect(intervals.map(({ channelSet }) => channelSet)).toEqual(
      profileOf("idis-p2").dlms.loadProfiles.map(({ channelSet }) => channelSet),
    );
    for (const { period, entries } of intervals) {
      const ends = entries.map(({ end }) => end);
      expect(ends.length).toBeGreaterThan(0);
      expect(ends).toEqual([...new Set(ends)].toSorted((left, right) => left - right));
      if (period < DAY / 1000) expect(ends).toHaveLength((3 * DAY) / (period * 1000));
    }
  });
});
