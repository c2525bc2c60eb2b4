import type { CallInput } from "../api/client.ts";

export type JobRequest = CallInput<"submitJob">["request"];

/** What the form holds. */
export interface ReadChoice {
  readonly target: "all" | "group" | "query" | "meter";
  readonly group: string;
  /** Of a stored query over meters. */
  readonly query: string;
  readonly meterId: string;
  readonly what: "registers" | "intervals";
  readonly reason: string;
}

const DAY_MS = 86_400_000;
const METER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What keeps the form from being sent: field and what is expected of it; undefined: nothing. */
export function refusalOf(
  choice: ReadChoice,
): { readonly field: "group" | "query" | "meterId"; readonly expected: string } | undefined {
  if (choice.target === "group" && choice.group === "") return { field: "group", expected: "Choose a group." };
  if (choice.target === "query" && choice.query === "") return { field: "query", expected: "Choose a query." };
  if (choice.target === "meter" && !METER_ID.test(choice.meterId.trim()))
    return {
      field: "meterId",
      expected: "Expected a meter id: 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit.",
    };
  return undefined;
}

/** The job that the form asks for. Intervals: those that ended in the 24 h before `now` (clock ms). */
export function readRequest(choice: ReadChoice, now: number, idempotencyKey: string): JobRequest {
  const second = Math.floor(now / 1000) * 1000;
  const iso = (at: number) => new Date(at).toISOString();
  const reason = choice.reason.trim();
  return {
    operation:
      choice.what === "registers"
        ? { kind: "readRegisters" }
        : { kind: "readIntervals", range: { from: iso(second - DAY_MS), to: iso(second) }, registers: "total" },
    target:
      choice.target === "all"
        ? { kind: "all" }
        : choice.target === "group"
          ? { kind: "group", group: choice.group }
          : choice.target === "query"
            ? { kind: "query", query: choice.query }
            : { kind: "meters", meterIds: [choice.meterId.trim()] },
    idempotencyKey,
    ...(reason === "" ? {} : { reason }),
  };
}
