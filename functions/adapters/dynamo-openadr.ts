import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { StoredObject, type StoredObjects } from "../../shared/demand/openadr/objects.ts";
import { partitionItems } from "./partition-items.ts";

/** What OpenADR clients keep at the VTN, in the Ledger table: `OPENADR#<collection>` / `<id>`. */
export function dynamoOpenadr(db: DynamoDBDocumentClient, TableName: string): StoredObjects {
  const keyOf = (collection: string, id: string) => ({ pk: `OPENADR#${collection}`, sk: id });
  return {
    async put(object) {
      await db.send(new PutCommand({ TableName, Item: { ...keyOf(object.collection, object.id), x: object } }));
    },
    async read(collection, id) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(collection, id), ConsistentRead: true }));
      return Item === undefined ? undefined : StoredObject.parse(Item.x);
    },
    async list(collection) {
      const found: StoredObject[] = [];
      for await (const { x } of partitionItems(db, TableName, `OPENADR#${collection}`))
        found.push(StoredObject.parse(x));
      return found;
    },
    async remove(collection, id) {
      await db.send(new DeleteCommand({ TableName, Key: keyOf(collection, id) }));
    },
  };
}
