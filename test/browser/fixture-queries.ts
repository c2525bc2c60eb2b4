import type { ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { LEVELS_MAX, NODES_MAX } from "../../shared/queries/language/condition.ts";
import { evaluate } from "../../shared/queries/language/evaluate.ts";
import type { Field } from "../../shared/queries/language/field.ts";
import { METER_FIELDS, type MeterRow } from "../../shared/queries/language/meter-fields.ts";
import { conditionOf, MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import { sentenceOf } from "../../shared/queries/stored-query.ts";

type Body<N extends "listQueryFields" | "previewQuery" | "readQuery" | "runQuery"> = ResponseReceived<Routes[N]>;
type Stored = Body<"readQuery">;

/** Queries over the meters of a fixture, by what the registry knows of them. */
export class FixtureQueries {
  readonly #rows: readonly MeterRow[];
  readonly #now: () => number;
  readonly #stored: Stored[] = [];

  constructor(rows: readonly MeterRow[], now: () => number) {
    this.#rows = rows;
    this.#now = now;
  }

  fields(): Body<"listQueryFields"> {
    const meters = Object.entries<Field>(METER_FIELDS).map(([name, field]) => ({ name, ...field }));
    return { meters, jobs: [], levels: LEVELS_MAX, nodes: NODES_MAX };
  }
  list(): { readonly queries: Stored[] } {
    return { queries: this.#stored };
  }
  preview({ filter }: { readonly filter: unknown }): Body<"previewQuery"> {
    const { rows, ...found } = this.#find(filter);
    return { ...found, rows: rows.slice(0, 20), meters: rows.length, complete: true } as Body<"previewQuery">;
  }
  create(asked: Pick<Stored, "name" | "filter" | "sharing">): Stored {
    const { sentence, asOf } = this.#find(asked.filter);
    const query: Stored = { ...asked, over: "meters", sentence, createdAt: asOf, caller: { id: "fixture" } };
    this.#stored.push(query);
    return query;
  }
  run(name: string): Body<"runQuery"> | undefined {
    const query = this.#stored.find((one) => one.name === name);
    return query === undefined ? undefined : (this.#find(query.filter) as Body<"runQuery">);
  }

  #find(given: unknown) {
    const filter = MeterFilter.parse(given);
    const condition = conditionOf(filter);
    return {
      over: "meters" as const,
      sentence: sentenceOf({ over: "meters", filter }),
      asOf: new Date(this.#now()).toISOString(),
      rows: this.#rows.filter((row) => evaluate(condition, row, this.#now()) === true),
    };
  }
}
