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
  /** Strongly consistent. */
  read(name: string): Promise<StoredGuard>;
  /** Conditional on the version. */
  write(name: string, version: number, reservations: readonly Reservation[]): Promise<Written>;
}

/** `until`: from when on there may be room, clock ms. */
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

type Wish = { readonly task: string; readonly watts: number; readonly guard: Guard; readonly giveBack: boolean };
interface Waiting extends Wish {
  readonly resolve: (until: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const TRIES = 30;
const PAUSE_MS = 5;
/** So many wishes are written at once; more would make the item's other writers wait in vain. */
const TOGETHER_MAX = 256;

/** Asks guards for room. What many tasks of this process wish of one guard goes into one write. */
export function guardDesk({ store, clock, settings }: GuardPorts): GuardDesk {
  const waiting = new Map<string, Waiting[]>();

  /** Answers, of each wish, until when there is no room; undefined: it is reserved, or given back. */
  const serve = async (name: string, wishes: readonly Wish[]): Promise<readonly (number | undefined)[]> => {
    for (let tries = 1; tries <= TRIES; tries++) {
      const { version, reservations } = await store.read(name);
      const now = clock.now();
      let next = reservations;
      let changed = false;
      const answers = wishes.map(({ task, watts, guard, giveBack }) => {
        if (giveBack) {
          const left = next.filter((one) => one.task !== task);
          changed ||= left.length < next.length;
          next = left;
          return undefined;
        }
        const answer = reserve(next, guard, { task, watts }, now);
        if (answer.kind === "full") return answer.until;
        next = answer.reservations;
        changed = true;
        return undefined;
      });
      if (!changed || (await store.write(name, version, next)) === "written") return answers;
      await clock.sleep(PAUSE_MS * tries);
    }
    throw new HeadraceError("guard.contended", `expected to write guard ${name}`, { retry: "later" });
  };

  const serveAll = async (name: string): Promise<void> => {
    for (;;) {
      const queue = waiting.get(name) ?? [];
      const batch = queue.splice(0, TOGETHER_MAX);
      if (batch.length === 0) break;
      try {
        const answers = await serve(name, batch);
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index]);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    waiting.delete(name);
  };

  const ask = (wish: Wish): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const { name } = wish.guard;
      const queue = waiting.get(name);
      if (queue !== undefined) return void queue.push({ ...wish, resolve, reject });
      waiting.set(name, [{ ...wish, resolve, reject }]);
      void serveAll(name);
    });

  const giveBackTo = async (guards: readonly Guard[], task: string): Promise<void> => {
    await Promise.all(guards.map((guard) => ask({ task, watts: 0, guard, giveBack: true })));
  };

  return {
    async admit(asked, task) {
      const got: Guard[] = [];
      const now = await settings();
      const watts = wattsOf(now, asked);
      for (const guard of guardsFor(now, asked)) {
        const until = await ask({ task, watts, guard, giveBack: false });
        if (until !== undefined) {
          await giveBackTo(got, task);
          return { kind: "full", guard: guard.name, until };
        }
        got.push(guard);
      }
      return { kind: "admitted" };
    },
    async giveBack(asked, task) {
      await giveBackTo(guardsFor(await settings(), asked), task);
    },
  };
}
