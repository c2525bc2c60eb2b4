import { describe, expect, it } from "vitest";
import type { Random } from "../../shared/ports/random.ts";
import type { FaultKind } from "./fault-kinds.ts";
import { FaultPlan, type SliceStates } from "./fault-plan.ts";
import { POINTS } from "./group-field.ts";
import { type SeedResult, simulate } from "./simulate.ts";

const MANY = { segments: [0, 65], each: 150 };
const JOBS = 2;
/** The request is out by then. */
const FAULT_MS = 60_000;

/** Nothing goes wrong but this: the task that makes the n-th effect of all ends before or after it. */
class OneCrash extends FaultPlan {
  readonly #at: number;
  effects = 0;
  constructor(at: number, random: Random, states: SliceStates) {
    super(0, random, states);
    this.#at = at;
  }
  override has(): boolean {
    return false;
  }
  override strikes(kind: FaultKind): boolean {
    return kind === "crash-bridge" && ++this.effects === this.#at;
  }
}

describe("a group of three hundred meters behind relays, under seeded faults", () => {
  it.each([1, 3, 6, 7, 11])("seed %i: no reading is lost or doubled, every task ends once", async (seed) => {
    const { violation, groups } = await simulate(seed, undefined, { size: MANY, groups: true, bridges: 2 });
    expect(violation).toBeUndefined();
    expect(groups?.jobs).toBeGreaterThan(0);
    expect((groups?.sent ?? 0) - (groups?.repeated ?? 0)).toBeLessThanOrEqual(POINTS * JOBS);
    expect(groups?.taken).toBeGreaterThan(50);
  });
});

describe("a group request of two tasks", () => {
  const crashAt = (at: number, trace?: (line: string, effects: number) => void): Promise<SeedResult> => {
    let plan: OneCrash | undefined;
    return simulate(1, trace && ((line) => trace(line, plan?.effects ?? 0)), {
      groups: "only",
      bridges: 2,
      faultMs: FAULT_MS,
      faults: (_seed, random, states) => {
        plan = new OneCrash(at, random, states);
        return plan;
      },
    });
  };

  it("is one message a fan-out point; wherever a task is killed it ends complete, and repeats are the same octets", async () => {
    let [first, last] = [0, 0];
    const calm = await crashAt(0, (line, effects) => {
      if (line.includes(" draw invocation id") && first === 0) first = effects;
      if (line.includes(" send to fan-out point") && last < first + 60) last = effects;
    });
    expect(calm.violation).toBeUndefined();
    expect(calm.groups).toMatchObject({ jobs: 1, sent: POINTS, repeated: 0 });

    let repeats = 0;
    const points = Array.from({ length: last - first + 30 }, (_, index) => first - 10 + index);
    expect(points.length).toBeGreaterThan(40);
    for (const at of points) {
      const { violation, groups } = await crashAt(at);
      expect(violation, `killed at ${at}`).toBeUndefined();
      const { jobs = 0, sent = 0, repeated = 0 } = groups ?? {};
      expect({ jobs, once: sent - repeated }, `killed at ${at}`).toEqual({ jobs: 1, once: POINTS });
      expect(repeated, `killed at ${at}`).toBeLessThanOrEqual(POINTS);
      repeats += repeated;
    }
    expect(repeats).toBeGreaterThan(0);
  });
});
