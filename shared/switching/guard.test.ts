import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_GUARDS, FRESH_MS, type Guard, guardsFor, type Reservation, reserve } from "./guard.ts";
import { type GuardStore, guardDesk } from "./guard-desk.ts";
import { memoryGuards } from "./memory-guards.ts";

const NOW = 1_700_000_000_000;
const guard = (perMinute: number, perHour: number): Guard => ({ name: "g", caps: { perMinute, perHour } });
const task = (n: number): string => n.toString(16).padStart(16, "0");

describe("a guard", () => {
  it("never lets more through than its caps, in whatever minute or hour one looks", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 40 })), { maxLength: 200 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 20 }),
        (asks, perMinute, perHour) => {
          let stands: readonly Reservation[] = [];
          let now = NOW;
          /** When each task's switch moves: its last reservation. */
          const moves = new Map<string, number>();
          for (const [later, name] of asks) {
            now += later;
            const answer = reserve(stands, guard(perMinute, perHour), { task: task(name), watts: 0 }, now);
            if (answer.kind === "full") {
              expect(answer.until).toBeGreaterThan(now);
              continue;
            }
            stands = answer.reservations;
            moves.set(task(name), now);
          }
          for (const [ms, most] of [
            [60_000, perMinute],
            [3_600_000, perHour],
          ] as const)
            for (const at of moves.values())
              expect([...moves.values()].filter((one) => one > at - ms && one <= at).length).toBeLessThanOrEqual(most);
        },
      ),
    ));

  it("finds a redelivered task its own room, and says from when on there is some", () => {
    const first = { task: task(1), at: NOW, watts: 0 };
    const second = { task: task(2), watts: 0 };
    const stands = [first];
    const own = (later: number) => reserve(stands, guard(1, 10), first, NOW + later);
    expect(own(FRESH_MS - 1)).toEqual({ kind: "reserved", reservations: stands });
    expect(own(FRESH_MS)).toEqual({ kind: "reserved", reservations: [{ ...first, at: NOW + FRESH_MS }] });
    const free = NOW + 60_000 + FRESH_MS;
    expect(reserve(stands, guard(1, 10), second, NOW + 10)).toEqual({ kind: "full", until: free });
    expect(reserve(stands, guard(1, 10), second, free).kind).toBe("reserved");
  });

  it("never lets more load through than its caps, but for one load that is larger than they are", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 9_000 })), {
          maxLength: 120,
        }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 12, max: 40 }),
        (asks, kwPerMinute, kwPerHour) => {
          const caps = { perMinute: 1000, perHour: 1000, kwPerMinute, kwPerHour };
          let stands: readonly Reservation[] = [];
          let now = NOW;
          const moved: { at: number; watts: number }[] = [];
          for (const [number, [later, watts]] of asks.entries()) {
            now += later;
            const answer = reserve(stands, { name: "g", caps }, { task: task(number), watts }, now);
            if (answer.kind === "full") {
              expect(answer.until).toBeGreaterThan(now);
              continue;
            }
            stands = answer.reservations;
            moved.push({ at: now, watts });
          }
          for (const [ms, most] of [
            [60_000, kwPerMinute],
            [3_600_000, kwPerHour],
          ] as const)
            for (const { at } of moved) {
              const within = moved.filter((one) => one.at > at - ms && one.at <= at);
              const sum = within.reduce((total, one) => total + one.watts, 0);
              if (sum > most * 1000) expect(within.filter(({ watts }) => watts > 0)).toHaveLength(1);
            }
        },
      ),
    ));

  it("of no load at all lets none through", () =>
    expect(
      reserve([], { name: "g", caps: { perMinute: 9, perHour: 9, kwPerHour: 0 } }, { task: task(1), watts: 1 }, NOW),
    ).toEqual({ kind: "full", until: NOW + 3_600_000 }));

  it("is asked for the deployment, the feeder, the transformer and the caller, in this order", () => {
    const ask = { to: "armed", feeder: "F", transformer: "T", client: "c" } as const;
    expect(guardsFor(DEFAULT_GUARDS, ask).map(({ name }) => name)).toEqual([
      "closing",
      "closing/feeder/F",
      "closing/transformer/T",
      "closing/client/c",
    ]);
    expect(guardsFor(DEFAULT_GUARDS, { to: "open" }).map(({ name }) => name)).toEqual(["opening"]);
  });
});

describe("the desk of guards", () => {
  const roomIn = async (store: GuardStore, name: string) => (await store.read([name])).get(name)?.reservations ?? [];
  const settings = async () => ({
    ...DEFAULT_GUARDS,
    opening: {
      ...DEFAULT_GUARDS.opening,
      all: { perMinute: 50, perHour: 500 },
      client: { perMinute: 7, perHour: 7 },
    },
  });
  const clock = { now: () => NOW, sleep: async () => {} };

  it("holds the caps though several bridges ask at once", async () => {
    const store = memoryGuards();
    const slow = {
      ...store,
      read: async (names: readonly string[]) => {
        const found = await store.read(names);
        await new Promise((resolve) => setTimeout(resolve, 1));
        return found;
      },
    };
    const desks = [1, 2, 3].map(() => guardDesk({ store: slow, clock, settings }));
    const asks = Array.from({ length: 300 }, (_, n) => desks[n % 3]!.admit({ to: "open" }, task(n)));
    const answers = await Promise.all(asks);
    expect(answers.filter(({ kind }) => kind === "admitted")).toHaveLength(50);
    expect(await roomIn(store, "opening")).toHaveLength(50);
  });

  it("writes what many wish at once in a few writes", async () => {
    const store = memoryGuards();
    let writes = 0;
    const counted = {
      ...store,
      write: async (...args: Parameters<typeof store.write>) => {
        writes++;
        return store.write(...args);
      },
    };
    const desk = guardDesk({ store: counted, clock, settings });
    await Promise.all(Array.from({ length: 50 }, (_, n) => desk.admit({ to: "open" }, task(n))));
    expect(writes).toBeLessThanOrEqual(2);
  });

  it("counts what is known of a meter's load, or what is assumed of it", async () => {
    const store = memoryGuards();
    const caps = { perMinute: 50, perHour: 50, kwPerMinute: 10 };
    const limits = { ...DEFAULT_GUARDS, assumedWatts: 3_000, opening: { ...DEFAULT_GUARDS.opening, all: caps } };
    const desk = guardDesk({ store, clock, settings: async () => limits });
    const kinds = [];
    for (const [n, watts] of [4_000, undefined, undefined, undefined].entries())
      kinds.push((await desk.admit({ to: "open", watts }, task(n))).kind);
    expect(kinds).toEqual(["admitted", "admitted", "admitted", "full"]);
  });

  it("writes nothing for an order that asks again at once", async () => {
    const store = memoryGuards();
    const desk = guardDesk({ store, clock, settings });
    const ask = { to: "open", feeder: "F", client: "c" } as const;
    await desk.admit(ask, task(1));
    const writing = { ...store, write: () => Promise.reject(new Error("no write is expected")) };
    expect(await guardDesk({ store: writing, clock, settings }).admit(ask, task(1))).toEqual({ kind: "admitted" });
  });

  it("leaves no room taken where one guard has none, whoever writes between", async () => {
    const store = memoryGuards();
    const others = guardDesk({ store, clock, settings });
    let between = 0;
    const disturbed: GuardStore = {
      ...store,
      write: async (name, version, reservations) => {
        // Seven of the caller's own come in while the desk has read and not yet written.
        if (between === 0)
          for (; between < 7; between++) await others.admit({ to: "open", client: "c" }, task(between));
        return store.write(name, version, reservations);
      },
    };
    const desk = guardDesk({ store: disturbed, clock, settings });
    expect(await desk.admit({ to: "open", feeder: "F", client: "c" }, task(99))).toMatchObject({ kind: "full" });
    for (const name of ["opening", "opening/feeder/F", "opening/client/c"])
      expect((await roomIn(store, name)).map((one) => one.task)).not.toContain(task(99));
    expect(await roomIn(store, "opening")).toHaveLength(7);
  });

  it("gives back what it has got where a later guard has no room", async () => {
    const store = memoryGuards();
    const desk = guardDesk({ store, clock, settings });
    for (let n = 0; n < 9; n++) await desk.admit({ to: "open", client: "c" }, task(n));
    expect(await roomIn(store, "opening")).toHaveLength(7);
    expect(await roomIn(store, "opening/client/c")).toHaveLength(7);
    await desk.giveBack({ to: "open", client: "c" }, task(0));
    expect(await desk.admit({ to: "open", client: "c" }, task(9))).toEqual({ kind: "admitted" });
  });

  it("has those who find no room come again one after the other, none later than a minute after room comes free", async () => {
    const desk = guardDesk({ store: memoryGuards(), clock, settings });
    const untils: number[] = [];
    for (let n = 0; n < 150; n++) {
      const answer = await desk.admit({ to: "open" }, task(n));
      if (answer.kind === "full") untils.push(answer.until);
    }
    const first = NOW + 60_000 + FRESH_MS;
    const turns = Array.from({ length: 51 }, (_, n) => first + n * 1_200);
    expect(untils).toEqual([...turns, ...turns.slice(0, 49)]);
  });

  it("lets hundreds through at the pace of its cap, with few questions for each", async () => {
    let now = NOW;
    const store = memoryGuards();
    const desk = guardDesk({ store, clock: { ...clock, now: () => now }, settings });
    // Room comes free one after the other, and all the others wait for it.
    const waiting = new Map(Array.from({ length: 500 }, (_, n) => [n, NOW + 1_300 * Math.min(n, 50)]));
    const moved: number[] = [];
    let asked = 0;
    while (waiting.size > 0) {
      now = Math.max(now, Math.min(...waiting.values()));
      for (const [n, at] of [...waiting])
        if (at <= now) {
          asked++;
          const answer = await desk.admit({ to: "open" }, task(n));
          if (answer.kind === "full") waiting.set(n, answer.until);
          else {
            waiting.delete(n);
            moved.push(now);
          }
        }
    }
    for (const [at, when] of moved.entries()) expect(moved[at + 50] ?? Infinity).toBeGreaterThan(when + 60_000);
    expect((moved.at(-1) ?? 0) - NOW).toBeLessThan(11 * 66_000);
    expect(asked / 500).toBeLessThan(12);
  });
});
