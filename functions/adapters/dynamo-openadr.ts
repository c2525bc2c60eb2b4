import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from "@aws-sdk/lib-dynamodb";
import { StoredObject, type StoredObjects } from "../../shared/demand/openadr/objects.ts";

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
      const pages = paginateQuery(
        { client: db },
        {
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": `OPENADR#${collection}` },
          ConsistentRead: true,
        },
      );
      for await (const page of pages) for (const item of page.Items ?? []) found.push(StoredObject.parse(item.x));
      return found;
    },
    async remove(collection, id) {
      await db.send(new DeleteCommand({ TableName, Key: keyOf(collection, id) }));
    },
  };
}
