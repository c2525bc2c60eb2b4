import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { embeddedDynamo } from "../contract/embedded-dynamo.ts";
import { itemSize } from "./item-size.ts";

/** As on the wire; every key of the product's tables is two texts. */
interface WireKey {
  readonly pk?: { readonly S: string };
  readonly sk?: { readonly S: string };
}
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}
type Item = Readonly<Record<string, unknown>> | undefined;

/** Units of writes by kind of item, and how many writes they were. */
export type WriteUnits = Map<string, { units: number; writes: number }>;

export interface CountedDynamo {
  /** Where clients of the product find it. */
  readonly endpoint: string;
  /** Since the last time that this was asked. */
  taken(): WriteUnits;
  close(): Promise<void>;
}

const UNIT_OCTETS = 1024;
const unitsOf = (item: Item): number => (item === undefined ? 0 : Math.max(1, Math.ceil(itemSize(item) / UNIT_OCTETS)));

/** Keys that a write names, by table. */
function writesIn(operation: string, body: Readonly<Record<string, unknown>>): { table: string; key: ItemKey }[] {
  const keyOf = ({ pk, sk }: WireKey = {}): ItemKey => ({ pk: pk?.S ?? "", sk: sk?.S ?? "" });
  const table = String(body.TableName);
  switch (operation) {
    case "PutItem":
      return [{ table, key: keyOf(body.Item as WireKey) }];
    case "UpdateItem":
    case "DeleteItem":
      return [{ table, key: keyOf(body.Key as WireKey) }];
    case "BatchWriteItem":
      return Object.entries(
        body.RequestItems as Record<string, { PutRequest?: { Item: WireKey }; DeleteRequest?: { Key: WireKey } }[]>,
      ).flatMap(([name, requests]) =>
        requests.map(({ PutRequest, DeleteRequest }) => ({
          table: name,
          key: keyOf(PutRequest?.Item ?? DeleteRequest?.Key),
        })),
      );
    case "TransactWriteItems":
      throw new Error("expected single-item writes: the product has no transactions");
    default:
      return [];
  }
}

/**
 * The embedded DynamoDB behind a front that counts what each write would be charged, item by item: the larger of the item
 * before and after it, by 1 kB, and a unit for each entry of the sparse index `due` that it makes or takes away; one that
 * its condition refuses is charged too. `kindOf`: under which name a table's item is counted.
 */
export async function countedDynamo(
  tables: readonly CreateTableCommandInput[],
  kindOf: (table: string, key: ItemKey) => string,
): Promise<CountedDynamo> {
  const dynamo = await embeddedDynamo(tables);
  const behind = new URL(String(dynamo.config.endpoint));
  const stored = async (TableName: string, key: ItemKey): Promise<Item> =>
    (await dynamo.db.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }))).Item;
  let counted: WriteUnits = new Map();

  const forward = (request: IncomingMessage, body: Buffer): Promise<{ status: number; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const { host: _host, ...headers } = request.headers;
      const onward = httpRequest(
        { host: behind.hostname, port: behind.port, method: "POST", path: "/", headers },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () => resolve({ status: answer.statusCode ?? 500, body: Buffer.concat(chunks) }));
        },
      );
      onward.on("error", reject);
      onward.end(body);
    });

  const answer = async (request: IncomingMessage, body: Buffer): Promise<{ status: number; body: Buffer }> => {
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const writes = writesIn(operation, JSON.parse(body.toString("utf8")) as Record<string, unknown>);
    const before = await Promise.all(writes.map(({ table, key }) => stored(table, key)));
    const answered = await forward(request, body);
    const after = await Promise.all(writes.map(({ table, key }) => stored(table, key)));
    for (const [at, { table, key }] of writes.entries()) {
      const [was, is] = [before[at], after[at]];
      const kind = kindOf(table, key);
      count(kind, Math.max(1, unitsOf(was), unitsOf(is)));
      if (was?.duePk !== is?.duePk)
        count(`${kind}: index`, (was?.duePk === undefined ? 0 : 1) + (is?.duePk === undefined ? 0 : 1));
    }
    return answered;
  };
  const count = (kind: string, units: number): void => {
    const sum = counted.get(kind) ?? { units: 0, writes: 0 };
    counted.set(kind, { units: sum.units + units, writes: sum.writes + 1 });
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      answer(request, Buffer.concat(chunks)).then(
        ({ status, body }) => response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(body),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken() {
      const units = counted;
      counted = new Map();
      return units;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dynamo.close();
    },
  };
}
