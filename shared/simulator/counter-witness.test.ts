import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CounterWitness, noCounters } from "./counter-witness.ts";

describe("the witness of invocation counters", () => {
  it("knows every counter that it accepted, in whatever order they came, and each that came twice", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 200 }), (counters) => {
        const witness = new CounterWitness(noCounters(1));
        const seen = new Set<number>();
        const twice: number[] = [];
        for (const counter of counters) {
          witness.accepted(counter);
          if (seen.has(counter)) twice.push(counter);
          seen.add(counter);
        }
        const { runs, repeated, accepted, lastAccepted } = witness.state;
        const known = runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
        expect(known).toEqual([...seen].sort((left, right) => left - right));
        for (const [index, [first]] of runs.entries()) expect(first).toBeGreaterThan((runs[index - 1]?.[1] ?? -2) + 1);
        expect(repeated).toEqual(twice);
        expect(accepted).toBe(counters.length);
        expect(lastAccepted).toBe(counters.length === 0 ? undefined : Math.max(...counters));
      }),
    );
  });

  it("tells a counter that came again from one that came late", () => {
    const witness = new CounterWitness(noCounters(1));
    witness.accepted(10);
    witness.refused(10);
    witness.refused(7);
    witness.refused(7);
    expect(witness.state).toMatchObject({ repeated: [10, 7], lower: [7], lastAccepted: 10 });
  });

  it("goes on from what was kept, and never gives one of its own counters twice", () => {
    const first = new CounterWitness(noCounters(5));
    first.accepted(3);
    expect([first.nextOwn(), first.nextOwn()]).toEqual([5, 6]);
    const second = new CounterWitness(first.state);
    second.accepted(3);
    expect(second.state.repeated).toEqual([3]);
    expect(second.nextOwn()).toBe(7);
  });

  it("says when something must be kept", () => {
    let changes = 0;
    const witness = new CounterWitness(noCounters(1), () => {
      changes += 1;
    });
    witness.accepted(1);
    witness.refused(1);
    witness.nextOwn();
    expect(changes).toBe(3);
  });
});
