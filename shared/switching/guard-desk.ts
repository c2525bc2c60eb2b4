import type { Written } from "../jobs/ledger.ts";
import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import {
  type Guard,
  type GuardAsk,
  type GuardSettings,
  guardsFor,
  type Reservation,
  reserve,
  wattsOf,
} from "./guard.ts";

/** What stands in one guard. */
export interface StoredGuard {
  /** Rises with every write; 0: nothing is stored. */
  readonly version: number;
  readonly reservations: readonly Reservation[];
}

/** Guards as stored; each is one item. */
export interface GuardStore {
  /** All of these, each strongly consistent. */
  read(names: readonly string[]): Promise<ReadonlyMap<string, StoredGuard>>;
  /** Conditional on the version. */
  write(name: string, version: number, reservations: readonly Reservation[]): Promise<Written>;
}

/** `until`: from when on there may be room that nobody before it was told of, clock ms. */
export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "full"; readonly guard: string; readonly until: number };

export interface GuardDesk {
  /** Room in every guard that the task asks, or in none. Throws what the store throws: then there is none. */
  admit(ask: GuardAsk, task: string): Promise<Admission>;
  giveBack(ask: GuardAsk, task: string): Promise<void>;
}

export interface GuardPorts {
  readonly store: GuardStore;
  readonly clock: Clock;
  /** As they stand now. */
  readonly settings: () => Promise<GuardSettings>;
}

/** Room in all of these guards, or with `giveBack` in none. */
interface Wish {
  readonly task: string;
  readonly watts: number;
  readonly guards: readonly Guard[];
  readonly giveBack: boolean;
}
interface Waiting {
  readonly asked: GuardAsk;
  readonly task: string;
  readonly giveBack: boolean;
  readonly resolve: (admission: Admission) => void;
  readonly reject: (error: unknown) => void;
}

const ADMITTED: Admission = { kind: "admitted" };
const TRIES = 30;
const PAUSE_MS = 5;
const MINUTE_MS = 60_000;
/** So many wishes are written at once; more would make the items' other writers wait in vain. */
const TOGETHER_MAX = 256;
const NONE: StoredGuard = { version: 0, reservations: [] };

/** Asks guards for room. What many tasks of this process wish goes into one reading and into one write a guard. */
export function guardDesk({ store, clock, settings }: GuardPorts): GuardDesk {
  const waiting: Waiting[] = [];
  let serving = false;
  /** Of each guard that was full: when the next who asks has its turn, clock ms. */
  const turns = new Map<string, number>();

  /**
   * Who finds a guard full comes again when it is its turn, one after the other as room comes free: all at once would ask
   * again and again for the same room. None waits longer than a minute for its turn, since room may be given back.
   */
  const turnOf = ({ name, caps }: Guard, until: number): number => {
    const next = turns.get(name) ?? until;
    const turn = next > until && next <= until + MINUTE_MS ? next : until;
    turns.set(name, turn + MINUTE_MS / Math.max(1, caps.perMinute));
    return Math.floor(turn);
  };

  /** What each wish comes to, and what then stands in each guard. */
  const weigh = (wishes: readonly Wish[], stored: ReadonlyMap<string, StoredGuard>) => {
    const now = clock.now();
    const stands = new Map([...stored].map(([name, { reservations }]) => [name, reservations]));
    const of = (name: string): readonly Reservation[] => stands.get(name) ?? [];
    const leave = ({ task, guards }: Wish): void => {
      for (const { name } of guards)
        if (of(name).some((one) => one.task === task))
          stands.set(
            name,
            of(name).filter((one) => one.task !== task),
          );
    };
    const answers = wishes.map((wish): Admission => {
      const { task, watts, guards, giveBack } = wish;
      const room = giveBack
        ? []
        : guards.map((guard) => ({ guard, got: reserve(of(guard.name), guard, { task, watts }, now) }));
      for (const { guard, got } of room)
        if (got.kind === "full") {
          leave(wish);
          return { kind: "full", guard: guard.name, until: turnOf(guard, got.until) };
        }
      for (const { guard, got } of room) if (got.kind === "reserved") stands.set(guard.name, got.reservations);
      if (giveBack) leave(wish);
      return ADMITTED;
    });
    return { answers, stands };
  };

  /** Weighs anew what is stored until all of it is written: what an earlier round has written is the wishes' own room then. */
  const serve = async (wishes: readonly Wish[]): Promise<readonly Admission[]> => {
    const names = [...new Set(wishes.flatMap(({ guards }) => guards.map(({ name }) => name)))];
    for (let tries = 1; tries <= TRIES; tries++) {
      const stored = await store.read(names);
      const { answers, stands } = weigh(wishes, stored);
      const written = await Promise.all(
        names.map((name) => {
          const { version, reservations } = stored.get(name) ?? NONE;
          const next = stands.get(name) ?? [];
          return next === reservations || (version === 0 && next.length === 0)
            ? "written"
            : store.write(name, version, next);
        }),
      );
      if (written.every((one) => one === "written")) return answers;
      await clock.sleep(PAUSE_MS * tries);
    }
    throw new HeadraceError("guard.contended", `expected to write ${names.length} guards`, { retry: "later" });
  };

  const serveAll = async (): Promise<void> => {
    for (let batch = waiting.splice(0, TOGETHER_MAX); batch.length > 0; batch = waiting.splice(0, TOGETHER_MAX))
      try {
        const now = await settings();
        const answers = await serve(
          batch.map(({ asked, task, giveBack }) => ({
            task,
            watts: giveBack ? 0 : wattsOf(now, asked),
            guards: guardsFor(now, asked),
            giveBack,
          })),
        );
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] ?? ADMITTED);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    serving = false;
  };

  const ask = (asked: GuardAsk, task: string, giveBack: boolean): Promise<Admission> =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, task, giveBack, resolve, reject });
      if (serving) return;
      serving = true;
      void serveAll();
    });

  return {
    admit: (asked, task) => ask(asked, task, false),
    async giveBack(asked, task) {
      await ask(asked, task, true);
    },
  };
}
