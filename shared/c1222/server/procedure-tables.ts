import type { GenConfig } from "../../c1219/gen-config.ts";
import {
  PROCEDURE_RESULT,
  PROCEDURE_SELECTOR,
  type ProcedureRequest,
  procedureRequestOf,
  procedureResponseOctets,
} from "../../c1219/procedure.ts";
import { WireError } from "../../wire/wire-error.ts";

/** How a procedure ended, or that it goes on: until `at` (own clock, ms) it is accepted and not complete. */
export interface ProcedureOutcome {
  readonly result: number;
  readonly data?: Uint8Array;
  readonly at?: number;
}
export type Procedure = (parameters: Uint8Array) => ProcedureOutcome;

/** `S9`, `M5`: whose procedure, and its number. */
export const procedureName = ({ number, manufacturer }: Pick<ProcedureRequest, "number" | "manufacturer">): string =>
  `${manufacturer ? "M" : "S"}${number}`;

export interface ProcedureTablesOptions {
  readonly config: GenConfig;
  /** MAX_PROC_PARM_LENGTH. */
  readonly parametersMax: number;
  /** Own clock, clock milliseconds. */
  readonly now: () => number;
  readonly procedures: ReadonlyMap<string, Procedure>;
}

/** Tables 7 and 8 of a node: what is written to 7 is done, and 8 tells how, for the last procedure alone. */
export class ProcedureTables {
  readonly #options: ProcedureTablesOptions;
  #last: { readonly request: ProcedureRequest; readonly outcome: ProcedureOutcome } | undefined;

  constructor(options: ProcedureTablesOptions) {
    this.#options = options;
  }

  /** A response code's short name. */
  initiate(octets: Uint8Array): string {
    const { config, parametersMax, procedures } = this.#options;
    let request: ProcedureRequest;
    try {
      request = procedureRequestOf(octets, config);
    } catch (error) {
      if (error instanceof WireError) return "iar";
      throw error;
    }
    if (request.parameters.length > parametersMax || request.selector > PROCEDURE_SELECTOR.postBoth) return "iar";
    const procedure = procedures.get(procedureName(request));
    const outcome = procedure?.(request.parameters) ?? { result: PROCEDURE_RESULT.unrecognised };
    this.#last = { request, outcome };
    return "ok";
  }

  /** Table 8; undefined: there is no answer that was asked for. */
  response(): Uint8Array | undefined {
    if (this.#last === undefined) return undefined;
    const { request, outcome } = this.#last;
    const goesOn = outcome.at !== undefined && this.#options.now() < outcome.at;
    const failed = outcome.result !== PROCEDURE_RESULT.completed;
    const { selector } = request;
    if (selector === PROCEDURE_SELECTOR.doNotPost) return undefined;
    if (selector === PROCEDURE_SELECTOR.postOnException && (goesOn || !failed)) return undefined;
    const resultCode = goesOn ? PROCEDURE_RESULT.acceptedNotComplete : outcome.result;
    const data = goesOn ? new Uint8Array(0) : (outcome.data ?? new Uint8Array(0));
    return procedureResponseOctets({ ...request, resultCode, data }, this.#options.config);
  }
}
