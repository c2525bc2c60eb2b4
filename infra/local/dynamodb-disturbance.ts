import { AwsError } from "./aws-endpoint.ts";
import { tablesOf } from "./dynamodb-actions.ts";

/** Shares of requests, 0..1. */
export interface DisturbanceRates {
  /** Refused with ThrottlingException before anything is done. */
  readonly throttle: number;
  /** Of eventually consistent reads: answered as the table stood before its last second of writes. */
  readonly stale: number;
}

type Attributes = Readonly<Record<string, unknown>>;
interface Before {
  readonly item: Attributes | undefined;
  readonly writtenAt: number;
}
type Call = (operation: string, body: object) => Promise<Readonly<Record<string, unknown>>>;

const STALE_MS = 1_000;
const WRITES = new Set(["PutItem", "UpdateItem", "DeleteItem"]);

/** What real tables do now and then and an embedded one never does: throttling, and eventual reads that lag. */
export class Disturbance {
  readonly #rates: DisturbanceRates;
  readonly #call: Call;
  readonly #keys = new Map<string, readonly string[]>();
  readonly #before = new Map<string, Before>();

  constructor(rates: DisturbanceRates, call: Call) {
    this.#rates = rates;
    this.#call = call;
  }

  watch(table: string, keySchema: readonly unknown[]): void {
    this.#keys.set(
      table,
      (keySchema as readonly { AttributeName: string }[]).map(({ AttributeName }) => AttributeName),
    );
  }

  /** Throws to throttle; answers a stale read; undefined: go on. */
  async before(operation: string, body: Readonly<Record<string, unknown>>): Promise<object | undefined> {
    if (Math.random() < this.#rates.throttle)
      throw new AwsError("ThrottlingException", "Rate exceeded (injected by local mode)");
    const table = tablesOf(operation, body)[0]?.table ?? "";
    if (WRITES.has(operation)) {
      const id = this.#identity(table, (body.Key ?? body.Item) as Attributes);
      const { Item } = (await this.#call("GetItem", { TableName: table, Key: id.key, ConsistentRead: true })) as {
        Item?: Attributes;
      };
      this.#remember(id.text, Item);
      return undefined;
    }
    if (body.ConsistentRead === true || Math.random() >= this.#rates.stale) return undefined;
    if (operation === "GetItem") {
      const before = this.#fresh(this.#identity(table, body.Key as Attributes).text);
      return before === undefined ? undefined : before.item === undefined ? {} : { Item: before.item };
    }
    if (operation !== "Query" || body.ProjectionExpression !== undefined || body.Select !== undefined) return undefined;
    const page = (await this.#call("Query", body)) as { Items?: readonly Attributes[] };
    const items = (page.Items ?? []).flatMap((item) => {
      const before = this.#fresh(this.#identity(table, item).text);
      return before === undefined ? [item] : before.item === undefined ? [] : [before.item];
    });
    return { ...page, Items: items, Count: items.length };
  }

  #remember(id: string, item: Attributes | undefined): void {
    const now = Date.now();
    this.#before.delete(id); // last in the map again, so that the oldest are first
    this.#before.set(id, { item, writtenAt: now });
    for (const [oldest, { writtenAt }] of this.#before) {
      if (now - writtenAt < STALE_MS) break;
      this.#before.delete(oldest);
    }
  }

  #fresh(id: string): Before | undefined {
    const before = this.#before.get(id);
    if (before === undefined) return undefined;
    if (Date.now() - before.writtenAt < STALE_MS) return before;
    this.#before.delete(id);
    return undefined;
  }

  #identity(table: string, attributes: Attributes): { readonly key: Attributes; readonly text: string } {
    const key = Object.fromEntries((this.#keys.get(table) ?? []).map((name) => [name, attributes[name]]));
    return { key, text: `${table} ${JSON.stringify(key)}` };
  }
}
