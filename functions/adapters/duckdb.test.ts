import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Column, Row, Source } from "../../shared/ports/columnar.ts";
import { duckdb } from "./duckdb.ts";

const directory = mkdtempSync(join(tmpdir(), "headrace-duckdb-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string): string => join(directory, name);

const db = duckdb({ memoryMb: 128, timeoutMs: 10_000 });
const COLUMNS: readonly Column[] = [
  { name: "meter", type: "text" },
  { name: "slot", type: "integer" },
  { name: "counter", type: "long" },
  { name: "value", type: "wide" },
  { name: "share", type: "double" },
  { name: "on", type: "boolean" },
  { name: "at", type: "instant" },
];
const ROWS: readonly Row[] = [
  ['it\'s "m-1"', 0, -(2n ** 63n), 2n ** 64n - 1n, 0.5, true, 1_700_000_000_123],
  ["m-2", 1023, 2n ** 63n - 1n, -(10n ** 37n), -1.25, false, 0],
  [undefined, undefined, undefined, undefined, undefined, undefined, undefined],
];
const rows = (some: Iterable<Row>, columns = COLUMNS): Source => ({ kind: "rows", columns, rows: some });
const parquet = (files: readonly string[], columns = COLUMNS): Source => ({ kind: "parquet", columns, files });
const all = (source: Source, rowsMax = 100) => db.query({ sql: "SELECT * FROM t", sources: { t: source } }, rowsMax);

describe("tables by column", () => {
  it("come back from a Parquet file as they were, cell by cell, and from memory too", async () => {
    expect(await db.write({ sql: "SELECT * FROM t", sources: { t: rows(ROWS) } }, file("a.parquet"))).toBe(ROWS.length);
    const same = { columns: COLUMNS.map((column) => column.name), rows: ROWS, more: false };
    expect(await all(parquet([file("a.parquet")]))).toEqual(same);
    expect(await all(rows(ROWS))).toEqual(same);
  });

  it("of several files are one, in which a column that a file lacks is null and one that is not asked for is absent", async () => {
    const older: readonly Column[] = [
      { name: "meter", type: "text" },
      { name: "gone", type: "text" },
    ];
    await db.write({ sql: "FROM t", sources: { t: rows([["old", "x"]], older) } }, file("old.parquet"));
    await db.write({ sql: "FROM t", sources: { t: rows(ROWS) } }, file("new.parquet"));
    const answer = await db.query(
      {
        sql: "SELECT meter, slot FROM t WHERE meter IN ($one, $other) ORDER BY meter",
        parameters: { one: "old", other: "m-2" },
        sources: { t: parquet([file("old.parquet"), file("new.parquet")], COLUMNS.slice(0, 2)) },
      },
      10,
    );
    expect(answer.rows).toEqual([
      ["m-2", 1023],
      ["old", undefined],
    ]);
  });

  it("of no file are empty", async () =>
    expect(await all(parquet([]))).toEqual({ columns: COLUMNS.map((column) => column.name), rows: [], more: false }));

  it("join, group and count, with lists and sums that are exact", async () => {
    const [a, b] = [
      [
        { name: "k", type: "integer" },
        { name: "v", type: "long" },
      ],
      [{ name: "k", type: "integer" }],
    ] as const;
    const answer = await db.query(
      {
        sql: "SELECT k, sum(v) AS total, list(v ORDER BY v) AS each, count(*) AS n FROM a JOIN b USING (k) GROUP BY k ORDER BY k",
        sources: {
          a: rows(
            [
              [1, 2n ** 62n],
              [1, 2n ** 62n],
              [1, 2n ** 62n],
              [2, 5n],
            ],
            a,
          ),
          b: rows([[1], [3]], b),
        },
      },
      10,
    );
    expect(answer.rows).toEqual([[1, 3n * 2n ** 62n, [2n ** 62n, 2n ** 62n, 2n ** 62n], 3n]]);
  });

  it("are taken in chunk by chunk from whatever yields them, and given out up to the bound", async () => {
    async function* many(): AsyncGenerator<Row> {
      for (let n = 0; n < 5000; n++) yield [n];
    }
    const source: Source = { kind: "rows", columns: [{ name: "n", type: "integer" }], rows: many() };
    const answer = await all(source, 4999);
    expect(answer.rows.map(([n]) => n)).toEqual(Array.from({ length: 4999 }, (_, n) => n));
    expect(answer.more).toBe(true);
  });

  it("refuse a cell of another type than its column's", async () => {
    await expect(all(rows([["1"]], [{ name: "n", type: "integer" }]))).rejects.toThrow(
      "expected a cell of type integer",
    );
    await expect(all(rows([[1.5]], [{ name: "n", type: "integer" }]))).rejects.toThrow("expected a whole number");
    await expect(all(rows([[1.5]], [{ name: "n", type: "long" }]))).rejects.toMatchObject({ code: "columnar.query" });
  });
});

describe("a query", () => {
  const over = (sql: string, sources: Readonly<Record<string, Source>> = {}, limits = db) =>
    limits.query({ sql, sources }, 10);

  it("sees no file but those that it was given, and no other way out", async () => {
    writeFileSync(file("secret.csv"), "a\n1\n");
    await db.write({ sql: "SELECT 1 AS n", sources: {} }, file("given.parquet"));
    await db.write({ sql: "SELECT 1 AS n", sources: {} }, file("other.parquet"));
    const t = parquet([file("given.parquet")], [{ name: "n", type: "integer" }]);
    expect((await over("SELECT n FROM t", { t })).rows).toEqual([[1]]);
    for (const sql of [
      `SELECT * FROM read_csv('${file("secret.csv")}')`,
      `SELECT * FROM read_parquet('${file("other.parquet")}')`,
      `SELECT * FROM glob('${directory}/*')`,
      `COPY (SELECT 1) TO '${file("out.csv")}'`,
      `ATTACH '${file("out.db")}'`,
      "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
      "INSTALL httpfs",
      "LOAD httpfs",
    ])
      await expect(over(sql, { t }), sql).rejects.toMatchObject({ code: "columnar.query" });
    expect(existsSync(file("out.csv"))).toBe(false);
  });

  it("cannot change its limits, nor be two", async () => {
    await expect(over("SET memory_limit = '10GB'")).rejects.toThrow("locked");
    await expect(over("SELECT 1; SELECT 2")).rejects.toThrow("multiple statements");
  });

  it("keeps what comes from outside a value, whatever it says", async () => {
    const text = "x' OR 1=1; DROP TABLE t; --";
    const t = rows([["y"], [text]], [{ name: "a", type: "text" }]);
    const answer = await db.query({ sql: "SELECT a FROM t WHERE a = $text", parameters: { text }, sources: { t } }, 10);
    expect(answer.rows).toEqual([[text]]);
  });

  it("is ended when it takes too long or too much memory, and says which", async () => {
    const hasty = duckdb({ memoryMb: 128, timeoutMs: 200 });
    const long = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";
    await expect(over(long, {}, hasty)).rejects.toMatchObject({ code: "columnar.timeout", retry: "later" });
    const small = duckdb({ memoryMb: 20, timeoutMs: 60_000 });
    await expect(over("SELECT list(r) FROM range(20000000) t(r)", {}, small)).rejects.toMatchObject({
      code: "columnar.memory",
      retry: "never",
    });
  });

  it("that fails says what is wrong in one line", async () =>
    expect(over("SELECT nothing FROM nowhere")).rejects.toMatchObject({
      code: "columnar.query",
      message: expect.stringMatching(/^Catalog Error.*nowhere/),
    }));
});
