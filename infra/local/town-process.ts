import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { MeterTruth } from "../../shared/simulator/meter.ts";
import type { TownWitness } from "./town.ts";
import type { TownGroup } from "./town-group.ts";
import type { TownMeter } from "./town-listing.ts";
import type { TownAnswer, TownQuestion, TownStart } from "./town-messages.ts";
import type { PowerOrder } from "./town-power.ts";

/** A town in a process of its own. */
export interface TownProcess {
  readonly pid: number;
  readonly meters: readonly TownMeter[];
  /** Undefined: nobody of it can be asked together with others. */
  readonly group: TownGroup | undefined;
  /** Interval ends in (from, to], clock milliseconds; undefined: no such meter. */
  truth(meterId: string, range: TruthRange): Promise<MeterTruth | undefined>;
  /** One question for many meters; meters that do not exist are left out. */
  truths(meterIds: readonly string[], range: TruthRange): Promise<readonly MeterTruth[]>;
  witness(): Promise<TownWitness>;
  /** Wakes every module that sleeps; answers how many there are. */
  wake(): Promise<number>;
  /** Takes the supply of meters away or gives it back; answers how many that moved. */
  power(order: PowerOrder): Promise<number>;
  /** Keeps the meters' counters and ends the process; idempotent. */
  stop(): Promise<void>;
  /** Settles when the process has ended, however it did. */
  readonly ended: Promise<void>;
}

export interface TruthRange {
  readonly from: number;
  readonly to: number;
}

export interface TownProcessOptions extends TownStart {
  /** Text of `HEADRACE_CLOCK` for the child, anchored (clock.ts, `clockText`); absent: real time. */
  readonly clock?: string;
}

type Asked = TownQuestion extends infer Q ? (Q extends TownQuestion ? Omit<Q, "number"> : never) : never;
type AnswerOf<A extends TownAnswer["answer"]> = Extract<TownAnswer, { answer: A }>;

class Questions {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: TownAnswer): void; reject(error: Error): void }>();
  #number = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (answer: TownAnswer) => {
      const waiting = this.#waiting.get(answer.number);
      this.#waiting.delete(answer.number);
      if (answer.answer === "failed")
        waiting?.reject(new HeadraceError(answer.code, answer.message, { retry: "never" }));
      else waiting?.resolve(answer);
    });
    child.on("exit", (code, signal) => this.#fail(`the town ended (${signal ?? code})`));
    child.on("error", (error) => this.#fail(`the town did not start: ${error.message}`));
  }

  #fail(message: string): void {
    for (const { reject } of this.#waiting.values())
      reject(new HeadraceError("town.ended", message, { retry: "never" }));
    this.#waiting.clear();
  }

  async ask<A extends TownAnswer["answer"]>(question: Asked, expected: A): Promise<AnswerOf<A>> {
    const number = ++this.#number;
    const answer = await new Promise<TownAnswer>((resolve, reject) => {
      if (!this.#child.connected)
        return reject(new HeadraceError("town.ended", "the town has ended", { retry: "never" }));
      this.#waiting.set(number, { resolve, reject });
      this.#child.send({ ...question, number });
    });
    if (answer.answer !== expected)
      throw new HeadraceError("town.answer", `expected ${expected}, got ${answer.answer}`, { retry: "never" });
    return answer as AnswerOf<A>;
  }
}

/** Starts simulated meters in a child process. Throws `HeadraceError` `town.*`, as `Town.start` does. */
export async function startTown({ clock, ...start }: TownProcessOptions): Promise<TownProcess> {
  const child = fork(fileURLToPath(new URL("./town-child.ts", import.meta.url)), [], {
    serialization: "advanced", // 64-bit values
    env: { PATH: process.env.PATH ?? "", ...(clock !== undefined && { HEADRACE_CLOCK: clock }) },
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const questions = new Questions(child);
  const { meters, group } = await questions.ask({ ask: "start", start }, "started").catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  const truths = async (meterIds: readonly string[], { from, to }: TruthRange): Promise<readonly MeterTruth[]> =>
    (await questions.ask({ ask: "truth", meterIds, from, to }, "truth")).truths;
  let stopping: Promise<void> | undefined;
  return {
    pid: child.pid ?? 0,
    meters,
    group,
    truth: async (meterId, range) => (await truths([meterId], range))[0],
    truths,
    witness: async () => (await questions.ask({ ask: "witness" }, "witness")).witness,
    wake: async () => (await questions.ask({ ask: "wake" }, "woken")).modules,
    power: async (order) => (await questions.ask({ ask: "power", order }, "powered")).meters,
    stop: () => {
      stopping ??= child.connected
        ? questions.ask({ ask: "stop" }, "stopped").then(
            () => ended,
            () => ended,
          )
        : ended;
      return stopping;
    },
    ended,
  };
}
