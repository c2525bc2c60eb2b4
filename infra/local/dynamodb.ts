import type { Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { AwsError, authorise, jsonService, type LocalServer, listen } from "./aws-endpoint.ts";
import { tablesOf } from "./dynamodb-actions.ts";
import { Disturbance, type DisturbanceRates } from "./dynamodb-disturbance.ts";
import { TableGates } from "./dynamodb-gate.ts";
import { type TransactItem, transactWrite } from "./dynamodb-transaction.ts";
import type { Permissions } from "./permissions.ts";
import { StartupError } from "./startup-error.ts";

interface DynaliteOptions {
  readonly path?: string;
  readonly createTableMs?: number;
  readonly deleteTableMs?: number;
  readonly updateTableMs?: number;
}
type Dynalite = (options: DynaliteOptions) => Server;
const dynalite = createRequire(import.meta.url)("dynalite") as Dynalite;

export interface DynamoTable {
  readonly name: string;
  readonly keySchema: readonly unknown[];
  readonly attributeDefinitions: readonly unknown[];
  readonly globalSecondaryIndexes?: readonly unknown[];
  readonly ttlAttribute?: string;
}

export interface DynamoOptions {
  readonly permissions: Permissions;
  /** `arn:aws:dynamodb:<region>:<account>`: what stands before `:table/…`. */
  readonly arnPrefix: string;
  /** Where the tables lie; absent: in memory. */
  readonly path?: string;
  readonly disturbance?: DisturbanceRates;
}

interface DescribedTable {
  readonly KeySchema: readonly unknown[];
  readonly GlobalSecondaryIndexes?: readonly { readonly IndexName: string; readonly KeySchema: readonly unknown[] }[];
}

/** The engine cannot change a table: one of an earlier description has to be made anew. */
function checkSame(table: DynamoTable, kept: DescribedTable): void {
  const shape = (keys: readonly unknown[], indexes: readonly unknown[] | undefined): string =>
    JSON.stringify([
      keys,
      (indexes as DescribedTable["GlobalSecondaryIndexes"])
        ?.map(({ IndexName, KeySchema }) => [IndexName, KeySchema])
        .sort() ?? [],
    ]);
  const wanted = shape(table.keySchema, table.globalSecondaryIndexes);
  if (shape(kept.KeySchema, kept.GlobalSecondaryIndexes) === wanted) return;
  throw new StartupError(
    `table ${table.name} of the data folder has other keys or indexes than the description now gives it: start with a new --data folder`,
  );
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const TTL_SWEEP_MS = 10 * 60_000;

/** The embedded DynamoDB: dynalite is the engine; permissions, TTL and the key store's transaction are ours. */
export class DynamoDb {
  readonly #engine: Server;
  readonly #options: DynamoOptions;
  readonly #gates = new TableGates();
  readonly #ttl = new Map<string, string>();
  readonly #writes = new Map<string, number>();
  readonly #disturbance: Disturbance | undefined;
  #server: LocalServer | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: DynamoOptions) {
    this.#options = options;
    this.#engine = dynalite({
      ...(options.path === undefined ? {} : { path: options.path }),
      createTableMs: 0,
      deleteTableMs: 0,
      updateTableMs: 0,
    });
    if (options.disturbance !== undefined)
      this.#disturbance = new Disturbance(options.disturbance, (operation, body) => this.call(operation, body));
  }

  async start(): Promise<LocalServer> {
    const { permissions, arnPrefix } = this.#options;
    const server = jsonService(permissions, async ({ principal, operation, body, raw, request }, response) => {
      for (const { action, table, index } of tablesOf(operation, body)) {
        const resource = `${arnPrefix}:table/${table}${index === undefined ? "" : `/index/${index}`}`;
        authorise(permissions, principal, `dynamodb:${action}`, resource);
      }
      this.#count(operation, body);
      if (operation === "TransactWriteItems") return this.#transact(body);
      const disturbed = await this.#disturbance?.before(operation, body);
      if (disturbed !== undefined) return disturbed;
      const tables = new Set(tablesOf(operation, body).map(({ table }) => table));
      const leave = await this.#gates.enter(tables);
      response.once("close", leave);
      this.#forward(raw, request.headers, response);
      return undefined;
    });
    this.#server = await listen(server);
    this.#sweeper = setInterval(() => void this.sweepExpired(Date.now()), TTL_SWEEP_MS);
    this.#sweeper.unref();
    return this.#server;
  }

  /** Requests of the product that write an item, by table, since the start: refused ones too, as DynamoDB charges them. */
  get writes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#writes);
  }

  #count(operation: string, body: Readonly<Record<string, unknown>>): void {
    const add = (table: unknown, by: number): void =>
      void this.#writes.set(String(table), (this.#writes.get(String(table)) ?? 0) + by);
    if (operation === "PutItem" || operation === "UpdateItem" || operation === "DeleteItem") add(body.TableName, 1);
    if (operation !== "BatchWriteItem") return;
    for (const [table, items] of Object.entries(body.RequestItems ?? {})) add(table, (items as unknown[]).length);
  }

  /** Creates the table unless it is there from an earlier run. */
  async createTable(table: DynamoTable): Promise<void> {
    if (table.ttlAttribute !== undefined) this.#ttl.set(table.name, table.ttlAttribute);
    this.#disturbance?.watch(table.name, table.keySchema);
    const described = await this.#send("DescribeTable", { TableName: table.name });
    if (described.status === 200) return checkSame(table, described.body.Table as DescribedTable);
    await this.call("CreateTable", {
      TableName: table.name,
      KeySchema: table.keySchema,
      AttributeDefinitions: table.attributeDefinitions,
      BillingMode: "PAY_PER_REQUEST",
      ...(table.globalSecondaryIndexes === undefined ? {} : { GlobalSecondaryIndexes: table.globalSecondaryIndexes }),
    });
  }

  /** A call of local mode itself, past permissions. Throws AwsError with the engine's type. */
  async call(operation: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#send(operation, body);
    if (answer.status === 200) return answer.body;
    const type =
      String(answer.body.__type ?? "")
        .split("#")
        .at(-1) ?? "InternalFailure";
    throw new AwsError(type, String(answer.body.message ?? answer.body.Message ?? ""), answer.status);
  }

  /** Deletes what its table's TTL attribute says has expired, as DynamoDB does within hours. */
  async sweepExpired(now: number): Promise<number> {
    let deleted = 0;
    for (const [table, attribute] of this.#ttl) {
      const { Table } = (await this.call("DescribeTable", { TableName: table })) as {
        Table: { KeySchema: readonly { AttributeName: string }[] };
      };
      const keys = Table.KeySchema.map(({ AttributeName }) => AttributeName);
      let start: unknown;
      do {
        const page = (await this.call("Scan", {
          TableName: table,
          FilterExpression: "#ttl < :now",
          ExpressionAttributeNames: { "#ttl": attribute },
          ExpressionAttributeValues: { ":now": { N: String(Math.floor(now / 1000)) } },
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        })) as { Items: readonly Record<string, unknown>[]; LastEvaluatedKey?: unknown };
        for (const item of page.Items) {
          const Key = Object.fromEntries(keys.map((key) => [key, item[key]]));
          await this.call("DeleteItem", { TableName: table, Key });
          deleted++;
        }
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
    }
    return deleted;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#server?.close();
    // The engine never listens, but closing its server closes the database.
    await new Promise<void>((resolve) => {
      this.#engine.listen(0, "127.0.0.1", () => this.#engine.close(() => resolve()));
    });
  }

  async #transact(body: Readonly<Record<string, unknown>>): Promise<object> {
    const items = (body.TransactItems ?? []) as readonly TransactItem[];
    const leave = await this.#gates.close(new Set(tablesOf("TransactWriteItems", body).map(({ table }) => table)));
    try {
      await transactWrite(items, (operation, request) => this.call(operation, request));
      return {};
    } finally {
      leave();
    }
  }

  /** Gives the engine a request as if it had come over its own socket. */
  #forward(raw: Buffer, headers: Readonly<Record<string, unknown>>, response: ServerResponse): void {
    const request = Object.assign(Readable.from([raw], { objectMode: false }), { method: "POST", url: "/", headers });
    this.#engine.emit("request", request, response);
  }

  #send(operation: string, body: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const response = {
        statusCode: 200,
        contentType: "",
        setHeader: () => response,
        end: (text: string) => {
          try {
            resolve({ status: response.statusCode, body: JSON.parse(text) as Answer["body"] });
          } catch (error) {
            reject(error);
          }
        },
      };
      const headers = {
        "x-amz-target": `DynamoDB_20120810.${operation}`,
        "content-type": "application/x-amz-json-1.0",
        authorization: "AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local",
        "x-amz-date": "20000101T000000Z",
      };
      this.#forward(Buffer.from(JSON.stringify(body)), headers, response as unknown as ServerResponse);
    });
  }
}
