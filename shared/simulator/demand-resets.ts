import { ACTION_RESULT } from "../dlms/data-access-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { actionResult, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { array, enumerated, integer, longUnsigned, name, structure } from "./cosem-data.ts";

/** What a meter keeps of resets that somebody ordered; over a power cut too. */
export interface ResetState {
  readonly count: number;
  /** Of the last one, by the meter's clock, ms; 0: none yet. */
  readonly lastAt: number;
}
export const NO_RESETS: ResetState = { count: 0, lastAt: 0 };

/** A meter's memory of ordered demand resets, and a witness of how often it was reset. */
export class DemandResets {
  #state: ResetState;
  readonly #changed: () => void;

  constructor(state: ResetState = NO_RESETS, changed: () => void = () => undefined) {
    this.#state = state;
    this.#changed = changed;
  }

  get state(): ResetState {
    return this.#state;
  }

  reset(at: number): void {
    this.#state = { count: this.#state.count + 1, lastAt: at };
    this.#changed();
  }
}

export interface DemandResetScript {
  readonly logicalName: LogicalName;
  readonly scriptIdentifier: number;
  /** The register that the script resets: class and logical name. */
  readonly register: { readonly classId: number; readonly logicalName: LogicalName };
  readonly execute: () => void;
}

/** Script table, class_id 9 version 0, with one script: reset (method 1) of the demand register. */
export const demandResetTable = ({
  logicalName,
  scriptIdentifier,
  register,
  execute,
}: DemandResetScript): CosemObject => ({
  classId: 9,
  version: 0,
  logicalName,
  attributes: {
    2: {
      get: () =>
        dataResult(
          array(
            structure(
              longUnsigned(scriptIdentifier),
              array(
                structure(
                  enumerated(2),
                  longUnsigned(register.classId),
                  name(register.logicalName),
                  integer(1),
                  integer(0),
                ),
              ),
            ),
          ),
        ),
    },
  },
  methods: {
    1: (parameters) => {
      if (parameters?.type !== "long-unsigned") return actionResult("type-unmatched");
      if (parameters.value !== scriptIdentifier) return actionResult("object-unavailable");
      execute();
      return { result: ACTION_RESULT.success, returnParameters: undefined };
    },
  },
});
