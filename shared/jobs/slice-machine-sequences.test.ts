import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt } from "./slice-due.ts";
import { done, failed, OPEN, outcomes, over, sliceOf, swept, T0 } from "./slice-fixture.ts";
import { advance, type SliceInput } from "./slice-machine.ts";
import { noSlots, slotState } from "./slots.ts";

/** Everything that can happen to a slice, in any order, from any generation, at rising instants. */
const anyInput = fc
  .record({
    kind: fc.constantFrom(
      "sent",
      "taken",
      "renewed",
      "drained",
      "outcomes",
      "outcomes",
      "pass-over",
      "swept",
      "swept",
      "cancelled",
      "split",
    ),
    generation: fc.integer({ min: 1, max: 8 }),
    owner: fc.constantFrom("b1", "b2"),
    step: fc.constantFrom(0, 1, 30_000, 61_000, 700_000),
    reports: fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom("done", "later", "never"))
        .map(([slot, kind]) => (kind === "done" ? done(slot) : failed(slot, kind as "later" | "never"))),
      { maxLength: 5 },
    ),
    lead: fc.option(fc.integer({ min: -1_000_000, max: 1_000_000 }), { nil: undefined }),
  })
  .map(({ kind, generation, owner, step, reports, lead }) => ({
    step,
    at: (now: number): SliceInput => {
      switch (kind) {
        case "sent":
          return { input: "sent", generation, at: now };
        case "taken":
          return { input: "taken", generation, owner, now };
        case "renewed":
        case "drained":
          return { input: kind, owner, now };
        case "outcomes":
          return outcomes(reports, generation);
        case "pass-over":
          return over(generation, now);
        case "swept":
          return swept(now, lead === undefined ? undefined : now + lead);
        case "cancelled":
          return { input: "cancelled" };
        default:
          return { input: "split" };
      }
    },
  }));

describe("any sequence of inputs", () => {
  it("keeps outcomes final, every slot accounted for, the generation rising, and closed slices closed", () => {
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
        let [slice, now] = [sliceOf("planned", { generation: 1, deadline: T0 + 5_000_000 }), T0];
        let moved = new Set<number>();
        for (const { step, at } of inputs) {
          now += step;
          const answer = advance(slice, at(now));
          if (answer.kind === "ignored") continue;
          const next = answer.slice;
          expect(slice.state).not.toBe("closed");
          expect(next.generation).toBeGreaterThanOrEqual(slice.generation);
          expect(next.passes).toBeGreaterThanOrEqual(slice.passes);
          for (const slot of OPEN) {
            const [was, is] = [slotState(slice.slots, slot), slotState(next.slots, slot)];
            if (was !== "open") expect(is).toBe(was);
            if (was === "open" && is === "untargeted") expect(slotState(next.moved ?? noSlots(), slot)).toBe("open");
          }
          if (next.moved !== undefined)
            moved = new Set(OPEN.filter((slot) => slotState(next.moved ?? noSlots(), slot) === "open"));
          const states = OPEN.map((slot) => slotState(next.slots, slot));
          expect(states.filter((state) => state === "untargeted").length).toBe(moved.size);
          if (next.state === "closed") expect(states).not.toContain("open");
          if (next.state !== "working") expect(next.lease).toBeUndefined();
          expect(dueAt(next) === undefined).toBe(next.state === "closed");
          slice = next;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("leaves a slice that the sweep alone brings to its end, however it was left", () => {
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 40 }), (inputs) => {
        let [slice, now] = [sliceOf("planned", { generation: 1, deadline: T0 + 5_000_000 }), T0];
        const apply = (input: SliceInput): void => {
          const answer = advance(slice, input);
          if (answer.kind === "next") slice = answer.slice;
          if (answer.kind === "next" && answer.effect === "split") apply({ input: "split" });
        };
        for (const { step, at } of inputs) {
          now += step;
          apply(at(now));
        }
        for (let minute = 0; slice.state !== "closed"; minute++) {
          expect(minute).toBeLessThan(200);
          now += 60_000;
          apply(swept(now));
        }
        expect(OPEN.map((slot) => slotState(slice.slots, slot))).not.toContain("open");
      }),
      { numRuns: 300 },
    );
  });
});
