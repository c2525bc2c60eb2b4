import { HeadraceError } from "../../shared/ports/errors.ts";
import { clockSettingFrom, productClock } from "./clock.ts";
import { Town } from "./town.ts";
import type { TownAnswer, TownQuestion } from "./town-messages.ts";

/** The town as a child process: town-process.ts is its other end. It ends when its parent does. */
let town: Town | undefined;

async function answer(question: TownQuestion): Promise<TownAnswer> {
  const { number } = question;
  switch (question.ask) {
    case "start":
      town = await Town.start({ ...question.start, clock: productClock(clockSettingFrom(process.env)) });
      return { answer: "started", number, meters: town.meters, group: town.group };
    case "truth": {
      const truths = question.meterIds.flatMap((meterId) => town?.truth(meterId, question) ?? []);
      return { answer: "truth", number, truths };
    }
    case "witness":
      return {
        answer: "witness",
        number,
        witness: town?.witness() ?? {
          sessions: 0,
          accepted: 0,
          violations: [],
          lower: [],
          resets: [],
          switches: [],
          fanOut: { relays: [] },
        },
      };
    case "wake":
      return { answer: "woken", number, modules: town?.wake() ?? 0 };
    case "power":
      return { answer: "powered", number, meters: (await town?.power(question.order)) ?? 0 };
    case "stop":
      await town?.stop();
      return { answer: "stopped", number };
  }
}

function failed(number: number, error: unknown): TownAnswer {
  const code = error instanceof HeadraceError ? error.code : "town.failed";
  return { answer: "failed", number, code, message: error instanceof Error ? error.message : String(error) };
}

process.on("message", (question: TownQuestion) => {
  void answer(question)
    .catch((error: unknown) => failed(question.number, error))
    .then((message) => {
      process.send?.(message, undefined, undefined, () => {
        if (message.answer === "stopped") process.disconnect();
      });
    });
});
process.on("disconnect", () => {
  void (town?.stop() ?? Promise.resolve()).finally(() => process.exit(0));
});
// The parent decides when the town ends: a Ctrl-C reaches the whole process group, and meters outlive their headend.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
