import type { Stack } from "aws-cdk-lib";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { BucketAccess, KeyAccess, SealAccess, TableAccess } from "../function-description.ts";
import { type BucketName, INDEXES, type QueueReference, type StateReferences, type TableName } from "../resources.ts";

/** What a role may do, by resource: written out, since the ready-made grants allow scans, streams and more. */
export interface Access {
  readonly tables?: Readonly<Partial<Record<TableName, TableAccess>>>;
  readonly buckets?: Readonly<Partial<Record<BucketName, BucketAccess>>>;
  readonly sends?: readonly QueueReference[];
  readonly measures?: readonly QueueReference[];
  readonly receives?: readonly QueueReference[];
  readonly keys?: KeyAccess;
  readonly seals?: SealAccess;
  /** It asks the directory which roles people hold. */
  readonly people?: true;
  /** ARNs of functions. */
  readonly invokes?: readonly string[];
}

const READ = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"];
const WRITE = [...READ, "dynamodb:PutItem", "dynamodb:UpdateItem"];
const TABLE_ACTIONS: Readonly<Record<TableAccess, readonly string[]>> = {
  read: READ,
  write: WRITE,
  erase: [...WRITE, "dynamodb:DeleteItem"],
};
const BUCKET_ACTIONS: Readonly<Record<BucketAccess, readonly string[]>> = {
  read: ["s3:GetObject"],
  write: ["s3:GetObject", "s3:PutObject"],
  erase: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
};

const allow = (actions: readonly string[], resources: readonly string[]): PolicyStatement =>
  new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] });

export function statementsOf(stack: Stack, state: StateReferences, access: Access): PolicyStatement[] {
  const statements: PolicyStatement[] = [];
  for (const [table, level] of Object.entries(access.tables ?? {}) as [TableName, TableAccess][]) {
    const arn = stack.formatArn({ service: "dynamodb", resource: "table", resourceName: state.table(table) });
    statements.push(allow(TABLE_ACTIONS[level], [arn]));
    for (const index of INDEXES[table] ?? []) statements.push(allow(["dynamodb:Query"], [`${arn}/index/${index}`]));
  }
  for (const [bucket, level] of Object.entries(access.buckets ?? {}) as [BucketName, BucketAccess][]) {
    const objects = stack.formatArn({
      service: "s3",
      region: "",
      account: "",
      resource: state.bucket(bucket),
      resourceName: "*",
    });
    statements.push(allow(BUCKET_ACTIONS[level], [objects]));
  }
  const queues = (actions: readonly string[], references: readonly QueueReference[] | undefined): void => {
    if (references !== undefined && references.length > 0)
      statements.push(
        allow(
          actions,
          references.map(({ arn }) => arn),
        ),
      );
  };
  queues(["sqs:SendMessage"], access.sends);
  queues(["sqs:GetQueueAttributes"], access.measures);
  queues(
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
    access.receives,
  );
  if (access.keys !== undefined) statements.push(...keyStatements(stack, state, access.keys));
  if (access.seals !== undefined)
    statements.push(allow(["kms:Verify", ...(access.seals === "sign" ? ["kms:Sign"] : [])], [state.sealKeyArn()]));
  if (access.people === true) {
    const pool = stack.formatArn({ service: "cognito-idp", resource: "userpool", resourceName: state.userPool() });
    statements.push(allow(["cognito-idp:AdminListGroupsForUser"], [pool]));
  }
  if (access.invokes !== undefined && access.invokes.length > 0)
    statements.push(allow(["lambda:InvokeFunction"], access.invokes));
  return statements;
}

/** The key-store library opens a branch key by GetItem and Decrypt; making one takes a transaction of three puts. */
function keyStatements(stack: Stack, state: StateReferences, keys: KeyAccess): PolicyStatement[] {
  const table = stack.formatArn({ service: "dynamodb", resource: "table", resourceName: state.table("keystore") });
  const open = [allow(["kms:Decrypt"], [state.keyArn()]), allow(["dynamodb:GetItem"], [table])];
  if (keys === "open") return open;
  return [
    ...open,
    allow(["kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"], [state.keyArn()]),
    allow(["dynamodb:PutItem", "dynamodb:ConditionCheckItem"], [table]),
  ];
}
