import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodePushWindow,
  encodePushWindow,
  judgePush,
  NOTHING_TAKEN,
  type PushWindow,
  type TakenPush,
  WINDOW,
} from "./push-window.ts";

const push = (counter: number | bigint, report = "a", receivedAt = 1000): TakenPush => ({
  counter: BigInt(counter),
  report: report.padStart(16, "0"),
  receivedAt,
});
function take(window: PushWindow, ...pushes: readonly TakenPush[]): PushWindow {
  let next = window;
  for (const one of pushes) {
    const verdict = judgePush(next, one);
    if (verdict.kind !== "new") throw new Error(`expected ${one.counter} to be new, it is ${verdict.kind}`);
    next = verdict.next;
  }
  return next;
}
/** Counters from..to taken, each received at its own number. */
const full = (from: number, to: number): PushWindow =>
  take(NOTHING_TAKEN, ...Array.from({ length: to - from + 1 }, (_, at) => push(from + at, "a", from + at)));

describe("the window of a meter's pushes", () => {
  it("takes a counter once; the same report meets itself, another one is a replay", () => {
    const window = take(NOTHING_TAKEN, push(7, "a"));
    expect(judgePush(window, push(7, "a")).kind).toBe("again");
    expect(judgePush(window, push(7, "b")).kind).toBe("replayed");
  });

  it("takes counters that come out of order, within its size", () => {
    const window = take(full(100, 100 + WINDOW - 2), push(50));
    expect(window.taken.map(({ counter }) => counter)).toContain(50n);
    expect(judgePush(take(window, push(200)), push(50, "b", 9999)).kind).toBe("replayed");
  });

  it("refuses what is below the floor, unless a bridge had it before those that have left", () => {
    const window = full(1, WINDOW + 10);
    expect(window.floor).toEqual({ counter: 10n, receivedAt: 10 });
    expect(judgePush(window, push(3, "b", 11)).kind).toBe("replayed");
    expect(judgePush(window, push(3, "a", 3)).kind).toBe("late");
    expect(judgePush(window, push(11, "b", 3)).kind).toBe("replayed");
  });

  it("never takes a counter twice, in whatever order they come, and never forgets its floor", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 80 }), { maxLength: 200 }), (counters) => {
        let window = NOTHING_TAKEN;
        const taken = new Set<bigint>();
        for (const [at, counter] of counters.entries()) {
          const verdict = judgePush(window, push(counter, at.toString(16), at));
          if (verdict.kind !== "new") continue;
          if (taken.has(BigInt(counter))) throw new Error(`counter ${counter} was taken twice`);
          taken.add(BigInt(counter));
          window = decodePushWindow(encodePushWindow(verdict.next));
          expect(window).toEqual(verdict.next);
        }
      }),
    );
  });

  it("is below a kilobyte when it is full, and octets that are none are refused", () => {
    const octets = encodePushWindow(full(1, 1000));
    expect(octets.length).toBeLessThan(900);
    for (const length of [0, 2, octets.length - 1])
      expect(() => decodePushWindow(octets.subarray(0, length))).toThrow();
    expect(() => decodePushWindow(Uint8Array.of(2))).toThrow("expected a window");
  });
});
