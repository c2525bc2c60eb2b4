import { LinkError } from "../ports/link.ts";
import { SessionError } from "./failure.ts";
import type { OperationResult } from "./result.ts";

export type Evidence = NonNullable<OperationResult["evidence"]>;

/** Code of the refusal that says: nothing came from the meter behind its network card. */
export const METER_SILENT = "meter.silent";

/** The network card has answered, and its meter has not. `item`: what was asked of it. */
export const moduleAlone = (module: Evidence, item: string): OperationResult => ({
  registers: [],
  intervals: [],
  evidence: module,
  refusals: [{ item, code: METER_SILENT }],
});

/** That an answer was given once and lost on the way is no silence. */
export const isSilence = (error: unknown): boolean =>
  (error instanceof LinkError && error.code === "link.timeout") ||
  (error instanceof SessionError && error.reason === "timeout" && !error.code.endsWith(".answer-lost"));

/**
 * A ping of the meter behind a module that has answered. `read`: something past the interface, and whether it answered.
 * Where nothing comes, the module is there and its meter is not: that is the answer. Other errors are thrown.
 */
export async function pingMeter(
  module: Evidence,
  item: string,
  read: () => Promise<{ readonly answered: boolean; readonly result: OperationResult }>,
): Promise<OperationResult> {
  try {
    const { answered, result } = await read();
    return { ...result, evidence: answered ? [...module, "meter-answer"] : module };
  } catch (error) {
    if (!isSilence(error)) throw error;
    return moduleAlone(module, item);
  }
}
