import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { JobAction, type JobActions } from "../../shared/queries/act-on-jobs.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** In the Ledger table: `A#<id>` / `action`: what somebody did to the jobs that a query found. */
const keyOf = (actionId: string) => ({ pk: `A#${actionId}`, sk: "action" });

/** Actions on jobs on DynamoDB. */
export function dynamoJobActions(db: DynamoDBDocumentClient, TableName: string): JobActions {
  const read: JobActions["read"] = async (actionId) => {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(actionId), ConsistentRead: true }));
    return Item === undefined ? undefined : JobAction.parse(Item.action);
  };
  const itemOf = (action: JobAction) => ({ ...keyOf(action.actionId), action });
  return {
    async begin(action) {
      const begun = await heldCondition(
        db.send(new PutCommand({ TableName, Item: itemOf(action), ConditionExpression: "attribute_not_exists(pk)" })),
      );
      return begun ? action : ((await read(action.actionId)) ?? action);
    },
    read,
    async finish(action) {
      await db.send(new PutCommand({ TableName, Item: itemOf(action) }));
    },
  };
}
