import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conditions, rows } from "../../shared/queries/language/condition-fixture.ts";
import { evaluate } from "../../shared/queries/language/evaluate.ts";
import type { Fact, Field, Place } from "../../shared/queries/language/field.ts";
import { METER_FIELDS, type MeterField, type MeterRow } from "../../shared/queries/language/meter-fields.ts";
import { sqlOf } from "../../shared/queries/language/sql-of.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const FIELDS = Object.entries<Field>(METER_FIELDS);

const columns = FIELDS.flatMap(([name, field]) => {
  if (field.type === "place") return ["latitude DOUBLE", "longitude DOUBLE"];
  if ("many" in field && field.many) return [`"${name}" VARCHAR[]`];
  return [`"${name}" ${field.type === "number" || field.type === "age" ? "BIGINT" : "VARCHAR"}`];
});
const cells = (row: MeterRow) =>
  FIELDS.flatMap(([name, field]): (string | number | bigint | null)[] => {
    const fact = (row[name as MeterField] ?? null) as Fact;
    if (field.type === "place")
      return [(fact as Place | null)?.latitude ?? null, (fact as Place | null)?.longitude ?? null];
    if (Array.isArray(fact)) return [JSON.stringify(fact)];
    return [typeof fact === "number" ? BigInt(fact) : (fact as string | null)];
  });

describe("the query language", () => {
  it("finds the same meters in DuckDB as row by row, whatever is asked and whatever is not known", async () => {
    const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE meters (row INTEGER, ${columns.join(", ")})`);
    const found = { matching: 0, other: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(rows<MeterField>(METER_FIELDS, NOW), { minLength: 8, maxLength: 24 }),
        fc.array(conditions<MeterField>(METER_FIELDS, 4), { minLength: 12, maxLength: 12 }),
        async (table, asked) => {
          await connection.run("DELETE FROM meters");
          const insert = `INSERT INTO meters VALUES ($1, ${columns.map((column, at) => (column.endsWith("[]") ? `CAST(CAST($${at + 2} AS JSON) AS VARCHAR[])` : `$${at + 2}`)).join(", ")})`;
          for (const [at, row] of table.entries()) await connection.run(insert, [at, ...cells(row)]);
          for (const condition of asked) {
            const { sql, parameters } = sqlOf(condition, METER_FIELDS, NOW);
            const answer = await connection.runAndReadAll(
              `SELECT row, ${sql} IS NULL AS undecided FROM meters WHERE ${sql} ORDER BY row`,
              parameters,
            );
            const matching = [...table.keys()].filter((at) => evaluate(condition, table[at] ?? {}, NOW));
            expect(answer.getRowObjects()).toEqual(matching.map((row) => ({ row, undecided: false })));
            found.matching += matching.length;
            found.other += table.length - matching.length;
          }
        },
      ),
      { numRuns: 25 },
    );
    // Both happen often: a test of filters that match nothing would prove nothing.
    expect(Math.min(found.matching, found.other)).toBeGreaterThan(500);
    connection.closeSync();
    instance.closeSync();
  });

  it("takes values as values: nothing of them is SQL", async () => {
    const text = "x' OR '1'='1";
    const { sql, parameters } = sqlOf({ kind: "feeder", in: [text] }, METER_FIELDS, NOW);
    expect(sql).not.toContain(text);
    expect(parameters).toEqual({ p1: text });
  });
});
