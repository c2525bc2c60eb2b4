import { type DynamoDBDocumentClient, GetCommand, PutCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { RowProblem } from "../../shared/api/import-row.ts";
import { RowError } from "../../shared/api/imports.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Imports in the Registry table: `I#<importId>` / `import`: how far it is; `I#<importId>` / `errors#<first row of a
 * chunk>`: what was wrong in that chunk; written again when a chunk is, so that nothing is counted twice.
 */
const importKey = (importId: string) => ({ pk: `I#${importId}`, sk: "import" });
const chunkKey = (importId: string, row: number) => ({
  pk: `I#${importId}`,
  sk: `errors#${row.toString().padStart(10, "0")}`,
});

export const ImportState = z.object({
  importId: z.string(),
  state: z.enum(["created", "running", "done", "failed"]),
  createdAt: z.int(),
  /** Rises each time that it begins from the top: chunks of an older run don't count. */
  run: z.int(),
  /** The file as it was when the import was begun. */
  etag: z.string().optional(),
  columns: z.array(z.string()).optional(),
  /** Up to where it is through. */
  octets: z.int(),
  lines: z.int(),
  rows: z.int(),
  enrolled: z.int(),
  unchanged: z.int(),
  rejected: z.int(),
  failure: z.string().optional(),
  report: z.string().optional(),
  lease: z.strictObject({ owner: z.string(), until: z.int() }).optional(),
  version: z.int(),
});
export type ImportState = z.infer<typeof ImportState>;
const Chunk = z.object({ run: z.int(), errors: z.array(RowError) });

export interface Imports {
  create(state: ImportState): Promise<void>;
  /** Strongly consistent. */
  read(importId: string): Promise<ImportState | undefined>;
  /** Conditional on `was.version`; answers what is there then, undefined when somebody else was first. */
  write(was: ImportState, change: Partial<ImportState>): Promise<ImportState | undefined>;
  keepErrors(state: ImportState, firstRow: number, errors: readonly RowProblem[]): Promise<void>;
  /** In the order of rows. */
  errors(state: ImportState): AsyncIterable<RowProblem>;
}

export const dynamoImports = (db: DynamoDBDocumentClient, TableName: string): Imports => ({
  async create(state) {
    const Item = { ...importKey(state.importId), ...state };
    await db.send(new PutCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)" }));
  },
  async read(importId) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: importKey(importId), ConsistentRead: true }));
    return Item === undefined ? undefined : ImportState.parse(Item);
  },
  async write(was, change) {
    const next = { ...was, ...change, version: was.version + 1 };
    const written = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...importKey(was.importId), ...next },
          ConditionExpression: "#version = :was",
          ExpressionAttributeNames: { "#version": "version" },
          ExpressionAttributeValues: { ":was": was.version },
        }),
      ),
    );
    return written ? next : undefined;
  },
  async keepErrors({ importId, run }, firstRow, errors) {
    await db.send(new PutCommand({ TableName, Item: { ...chunkKey(importId, firstRow), run, errors } }));
  },
  async *errors({ importId, run }) {
    const pages = paginateQuery(
      { client: db },
      {
        TableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :errors)",
        ExpressionAttributeValues: { ":pk": `I#${importId}`, ":errors": "errors#" },
        ConsistentRead: true,
      },
    );
    for await (const page of pages)
      for (const item of page.Items ?? []) {
        const chunk = Chunk.parse(item);
        if (chunk.run === run) yield* chunk.errors as RowProblem[];
      }
  },
});
