import { type Field, parseDescription } from "../../c1219/description.ts";
import { contextOf, readGenConfig, STANDARD_TABLES } from "../../c1219/standard-tables.ts";
import { readTable, type TableContext, type TableRecord } from "../../c1219/table-layout.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { OperationResult } from "../../metering/result.ts";
import { OK, RESPONSE_CODES, responseName } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { tableName } from "../services/table-data.ts";
import type { Exchange } from "./exchange.ts";

export type Refusal = OperationResult["refusals"][number];
/** A table's content, or the definite refusal of it. */
export type TableAnswer =
  | { readonly kind: "octets"; readonly octets: Uint8Array }
  | { readonly kind: "refused"; readonly code: string };

export type RecordAnswer =
  | { readonly kind: "record"; readonly record: TableRecord }
  | { readonly kind: "refused"; readonly code: string };

/** The failure that a response code is; undefined: it is ok, or refuses this one thing definitely. */
export function failureOf(what: string, { code }: Response): SessionError | undefined {
  const known = RESPONSE_CODES[code];
  if (code === OK || known?.definite === true) return undefined;
  const name = responseName(code);
  return new SessionError(known?.reason ?? "protocol", `c1222.${name}`, `the meter answered ${what} with ${name}`, {
    retry: known?.retry ?? "never",
    detail: { responseCode: code, what },
  });
}

/** Ways to one element of the first array of a table. */
interface TableAccess {
  readonly blocks: "parts" | "whole";
  element(tableId: number, element: number, octets: number): Request;
}
const BY_OFFSET: TableAccess = {
  blocks: "parts",
  element: (tableId, element, octets) => ({
    service: "partialReadOffset",
    tableId,
    offset: element * octets,
    octetCount: octets,
  }),
};
const BY_INDEX: TableAccess = {
  blocks: "parts",
  element: (tableId, element) => ({ service: "partialReadIndex", tableId, index: [0, element], elementCount: 1 }),
};
const WHOLE: TableAccess = { blocks: "whole", element: (tableId) => ({ service: "fullRead", tableId }) };
/** By DATA_ACCESS_METHOD; by offset where both are offered. */
const ACCESS = [WHOLE, BY_OFFSET, BY_INDEX, BY_OFFSET] as const;

interface Layout {
  readonly fields: readonly Field[];
  readonly uses: readonly number[];
}

/** Reads tables and what their layouts depend on, each of the latter once a session. */
export class TableReader {
  readonly #exchange: Pick<Exchange, "ask">;
  readonly #profile: C1222Profile["c1222"];
  readonly #preface: () => readonly Request[];
  readonly #read = new Map<number, TableRecord>();
  readonly #layouts = new Map<number, Layout>();
  #context: TableContext | undefined;
  /** The context of all tables that have been read; undefined: another one has been since. */
  #known: TableContext | undefined;

  /** `preface`: what has to stand before the services of every message (a password). */
  constructor(exchange: Pick<Exchange, "ask">, profile: C1222Profile["c1222"], preface: () => readonly Request[]) {
    this.#exchange = exchange;
    this.#profile = profile;
    this.#preface = preface;
  }

  /** Reads table 0. Throws `SessionError`. */
  async begin(): Promise<void> {
    const [answer] = await this.readOctets([0]);
    const { fixedBcd } = this.#profile;
    const context = answer?.kind === "octets" ? readGenConfig(answer.octets, fixedBcd?.form) : undefined;
    if (context === undefined)
      throw new SessionError("protocol", "c1222.gen-config", "expected table 0, which says how to read all others");
    this.#context = context;
    const config = context.tables.at(-1);
    if (config !== undefined) this.#keep(0, config);
  }

  get context(): TableContext {
    if (this.#context === undefined) throw new SessionError("internal", "c1222.not-begun", "expected table 0 first");
    this.#known ??= contextOf(this.#context, this.#read);
    return this.#known;
  }

  #keep(id: number, record: TableRecord): void {
    this.#read.set(id, record);
    this.#known = undefined;
  }

  /** How a part of a table is asked for, as DATA_ACCESS_METHOD of table 0 allows it. */
  get access(): TableAccess {
    return ACCESS[this.context.config.dataAccessMethod] ?? WHOLE;
  }

  /** Services after the preface, in one message; their answers alone. Throws for what is no definite refusal. */
  async ask(requests: readonly Request[], what: readonly string[]): Promise<readonly Response[]> {
    const preface = this.#preface();
    const answers = await this.#exchange.ask([...preface, ...requests]);
    const refused = answers.slice(0, preface.length).find(({ code }) => code !== OK);
    if (refused !== undefined)
      throw (
        failureOf("the password", refused) ??
        new SessionError("auth", "c1222.password-refused", "the meter refused the password", {
          detail: { code: refused.code },
        })
      );
    const own = answers.slice(preface.length);
    for (const [index, answer] of own.entries()) {
      const failure = failureOf(what[index] ?? "a service", answer);
      if (failure !== undefined) throw failure;
    }
    return own;
  }

  /** Whole tables, in one message. A meter may stop at the first refusal: what comes after it is asked for again. */
  async readOctets(ids: readonly number[]): Promise<readonly TableAnswer[]> {
    const answers: TableAnswer[] = [];
    while (answers.length < ids.length) {
      const left = ids.slice(answers.length);
      const responses = await this.ask(
        left.map((tableId) => ({ service: "fullRead", tableId })),
        left.map(tableName),
      );
      if (responses.length === 0) throw new SessionError("protocol", "c1222.answers", "expected an answer, got none");
      for (const response of responses) answers.push(dataOf(response));
    }
    return answers;
  }

  /** Whole tables and what their layouts depend on, as records; each refusal in its place. */
  async readRecords(ids: readonly number[]): Promise<ReadonlyMap<number, RecordAnswer>> {
    await this.prepare(ids);
    const answers = await this.readOctets(ids);
    return new Map(
      ids.map((id, index): readonly [number, RecordAnswer] => {
        const answer = answers[index] ?? { kind: "refused", code: "c1222.err" };
        return [id, answer.kind === "octets" ? { kind: "record", record: this.interpret(id, answer.octets) } : answer];
      }),
    );
  }

  /** The layout of a table as this device profile allows it to be interpreted. Throws `SessionError` `unsupported`. */
  layout(id: number): Layout {
    const made = this.#layouts.get(id);
    if (made !== undefined) return made;
    const own = this.#profile.layouts[String(id)];
    const standard = STANDARD_TABLES.get(id);
    const allowed =
      standard !== undefined &&
      (standard.evidence === "confirmed" || this.#profile.singleSourceTables.tables.includes(id));
    const layout: Layout | undefined =
      own !== undefined ? { fields: parseDescription(own), uses: [] } : allowed ? standard : undefined;
    if (layout === undefined)
      throw new SessionError(
        "unsupported",
        "profile.no-layout",
        `the device profile has no layout of ${tableName(id)}`,
        {
          detail: { table: id },
        },
      );
    this.#layouts.set(id, layout);
    return layout;
  }

  /** Reads what these layouts depend on and has not been read, in as few messages as the dependencies allow. */
  async prepare(ids: readonly number[]): Promise<void> {
    const wanted = new Set<number>();
    const collect = (id: number): void => {
      for (const used of this.layout(id).uses)
        if (!this.#read.has(used)) {
          wanted.add(used);
          collect(used);
        }
    };
    for (const id of ids) collect(id);
    const answers = await this.readOctets([...wanted]);
    // A layout may need what another one brings: rising numbers do, limits come before what they limit.
    for (const [id, answer] of [...wanted].map((id, at) => [id, answers[at]] as const).sort(([a], [b]) => a - b)) {
      if (answer?.kind !== "octets")
        throw new SessionError(
          "refused",
          "c1222.limits-refused",
          `the meter refused ${tableName(id)}, which others need`,
        );
      this.#keep(id, this.interpret(id, answer.octets));
    }
  }

  /** A table that `prepare` read. */
  known(id: number): TableRecord | undefined {
    return this.#read.get(id);
  }

  interpret(id: number, octets: Uint8Array): TableRecord {
    return readTable(this.layout(id).fields, this.context, octets);
  }
}

export const dataOf = (response: Response): TableAnswer =>
  response.code === OK && response.body.kind === "data"
    ? { kind: "octets", octets: response.body.data }
    : { kind: "refused", code: `c1222.${responseName(response.code)}` };
