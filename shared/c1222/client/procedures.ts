import {
  PROCEDURE_INITIATE_TABLE,
  PROCEDURE_RESPONSE_TABLE,
  PROCEDURE_RESULT,
  PROCEDURE_SELECTOR,
  procedureRequestOctets,
  procedureResponseOf,
} from "../../c1219/procedure.ts";
import type { C1222Procedure } from "../../metering/c1222-profile.ts";
import type { EffectAnswer } from "../../metering/effect.ts";
import { type FailureReason, SessionError } from "../../metering/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Retry } from "../../ports/errors.ts";
import { dataOf, type TableReader } from "./table-reader.ts";

/** What a meter says of a procedure that it did not do. */
const RESULTS: Readonly<
  Record<number, { readonly name: string; readonly reason: FailureReason; readonly retry: Retry }>
> = {
  [PROCEDURE_RESULT.invalidParameter]: { name: "invalid-parameter", reason: "refused", retry: "never" },
  [PROCEDURE_RESULT.conflictsWithSetup]: { name: "conflicts-with-setup", reason: "refused", retry: "never" },
  [PROCEDURE_RESULT.timingConstraint]: { name: "timing-constraint", reason: "refused", retry: "later" },
  [PROCEDURE_RESULT.notAuthorised]: { name: "not-authorised", reason: "auth", retry: "never" },
  [PROCEDURE_RESULT.unrecognised]: { name: "unrecognised", reason: "unsupported", retry: "never" },
};

/** How a procedure ended. `accepted`: it was begun, and its end was not awaited any longer. */
export type ProcedureAnswer =
  | { readonly kind: "completed"; readonly data: Uint8Array }
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly code: string; readonly reason: FailureReason; readonly retry: Retry };

/** How often and how long apart an unfinished procedure is asked for, as a public stack has it. */
const POLLS = 20;
const POLL_MS = 500;

/** Runs procedures through tables 7 and 8, one at a time, each under a sequence number of its own. */
export class Procedures {
  readonly #reader: TableReader;
  readonly #clock: Clock;
  #sequence: number;

  /** `first`: the first sequence number, 0 to 255. */
  constructor(reader: TableReader, clock: Clock, first: number) {
    this.#reader = reader;
    this.#clock = clock;
    this.#sequence = first;
  }

  /**
   * Writes table 7 and reads table 8 in one message, then 8 alone until the procedure has ended. Throws `SessionError`;
   * after an error nobody knows whether it was done.
   */
  async run({ number, manufacturer }: C1222Procedure, parameters: Uint8Array): Promise<ProcedureAnswer> {
    const { config } = this.#reader.context;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xff;
    const selector = PROCEDURE_SELECTOR.postOnCompletion;
    const data = procedureRequestOctets({ number, manufacturer, selector, sequence, parameters }, config);
    const read = { service: "fullRead", tableId: PROCEDURE_RESPONSE_TABLE } as const;
    const name = `procedure ${manufacturer ? "M" : "S"}${number}`;
    const [written, first] = await this.#reader.ask(
      [{ service: "fullWrite", tableId: PROCEDURE_INITIATE_TABLE, data }, read],
      [name, "ST8"],
    );
    if (written === undefined || written.code !== 0) {
      const { code } = written === undefined ? { code: "c1222.err" } : refusalOf(written);
      return { kind: "refused", code, reason: "refused", retry: "never" };
    }
    let answer = first;
    for (let polls = 0; ; polls++) {
      const table8 = answer === undefined ? undefined : dataOf(answer);
      if (table8?.kind === "octets") {
        const response = procedureResponseOf(table8.octets, config);
        const own =
          response.number === number && response.manufacturer === manufacturer && response.sequence === sequence;
        // An answer to somebody else's procedure came between.
        if (!own) throw new SessionError("protocol", "c1222.other-procedure", `table 8 answers another than ${name}`);
        if (response.resultCode === PROCEDURE_RESULT.completed) return { kind: "completed", data: response.data };
        if (response.resultCode !== PROCEDURE_RESULT.acceptedNotComplete) return refused(response.resultCode);
      }
      if (polls === POLLS) return { kind: "accepted" };
      await this.#clock.sleep(POLL_MS);
      [answer] = await this.#reader.ask([read], ["ST8"]);
    }
  }
}

const refusalOf = (response: Parameters<typeof dataOf>[0]): { readonly code: string } => {
  const answer = dataOf(response);
  return { code: answer.kind === "refused" ? answer.code : "c1222.err" };
};

function refused(resultCode: number): ProcedureAnswer {
  const known = RESULTS[resultCode];
  return {
    kind: "refused",
    code: `c1222.procedure.${known?.name ?? `unknown-${resultCode}`}`,
    reason: known?.reason ?? "protocol",
    retry: known?.retry ?? "never",
  };
}

/** The answer to an effect's request. */
export const effectAnswer = (answer: ProcedureAnswer): EffectAnswer =>
  answer.kind === "refused"
    ? { kind: "refused", code: answer.code, retry: answer.retry === "later" ? "later" : "never" }
    : { kind: "accepted" };
