import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  PutItemCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { sqsClient } from "../../functions/adapters/aws-clients.ts";
import { SingleFlightBranchKeys } from "../../functions/adapters/branch-keys.ts";
import { BRANCH_SHARDS, branchKeyId } from "../../functions/adapters/key-vault.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { systemRandom } from "../../functions/adapters/system-random.ts";

/** The embedded tables know no transactions: of one, each item is put by itself. */
class WithoutTransactions extends DynamoDBClient {
  override send(command: object, ...rest: readonly never[]): never {
    if (!(command instanceof TransactWriteItemsCommand)) return super.send(command as never, ...rest) as never;
    const puts = (command.input.TransactItems ?? []).flatMap(({ Put }) => (Put === undefined ? [] : [Put]));
    return Promise.all(puts.map((put) => super.send(new PutItemCommand(put)))) as never;
  }
}

/** Makes the branch keys, without which nothing is sealed, as the environment names their table and key. */
export async function makeBranchKeys(config: DynamoDBClientConfig): Promise<void> {
  const { KEYSTORE_TABLE = "", KEYSTORE_NAME = "", KMS_KEY_ARN = "", DEPLOYMENT = "" } = process.env;
  const branchKeys = new SingleFlightBranchKeys({
    table: KEYSTORE_TABLE,
    name: KEYSTORE_NAME,
    kmsKeyArn: KMS_KEY_ARN,
    deployment: DEPLOYMENT,
    dynamo: new WithoutTransactions(config),
    kms: new KMSClient({}),
    clock: systemClock,
    random: systemRandom,
  });
  for (let shard = 0; shard < BRANCH_SHARDS; shard++) await branchKeys.seed(branchKeyId(shard));
}

/** Takes what waits in a queue. */
export async function takeFrom(QueueUrl: string): Promise<readonly string[]> {
  const sqs = sqsClient();
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  sqs.destroy();
  return Messages.map(({ Body = "" }) => Body);
}
