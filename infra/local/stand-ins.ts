import { join } from "node:path";
import type { LocalServer } from "./aws-endpoint.ts";
import { Cognito } from "./cognito.ts";
import { DynamoDb } from "./dynamodb.ts";
import type { DisturbanceRates } from "./dynamodb-disturbance.ts";
import { Iot } from "./iot.ts";
import { Kms } from "./kms.ts";
import { KmsKeyStore } from "./kms-keys.ts";
import { Lambda } from "./lambda.ts";
import { type AccessKey, Permissions } from "./permissions.ts";
import { openQueueEngine, type QueueEngine } from "./queue-engine.ts";
import { startQueueFront } from "./queue-front.ts";
import type { ParameterStore } from "./ssm.ts";
import type { Pseudo } from "./template.ts";

export interface StandInOptions {
  readonly pseudo: Pseudo;
  /** Keeps tables, queues, objects and keys there; absent: in memory. */
  readonly dataDir?: string;
  readonly disturbance?: DisturbanceRates;
  readonly parameters: ParameterStore;
  readonly log?: (text: string) => void;
}

/** The services that a deployment's functions and tasks call, all in this process, all on 127.0.0.1. */
export interface StandIns {
  readonly permissions: Permissions;
  readonly db: DynamoDb;
  readonly queues: QueueEngine;
  readonly kms: Kms;
  readonly iot: Iot;
  readonly cognito: Cognito;
  readonly lambda: Lambda;
  readonly pseudo: Pseudo;
  /** What tells the AWS SDK of a function or task where the services are and who it is. */
  environmentOf(key: AccessKey): Record<string, string>;
  close(): Promise<void>;
}

export async function openStandIns(options: StandInOptions): Promise<StandIns> {
  const { pseudo, dataDir, disturbance, parameters } = options;
  const arnPrefix = (service: string): string =>
    `arn:${pseudo.partition}:${service}:${pseudo.region}:${pseudo.account}`;
  const permissions = new Permissions();
  const kms = new Kms(permissions, new KmsKeyStore(dataDir === undefined ? undefined : join(dataDir, "kms")));
  const db = new DynamoDb({
    permissions,
    arnPrefix: arnPrefix("dynamodb"),
    ...(dataDir === undefined ? {} : { path: join(dataDir, "dynamodb") }),
    ...(disturbance === undefined ? {} : { disturbance }),
  });
  const queues = await openQueueEngine(dataDir === undefined ? undefined : join(dataDir, "sqs-s3"));
  const lambda = new Lambda();
  const cognito = new Cognito(permissions, arnPrefix("cognito-idp"));
  const iot = new Iot(permissions, arnPrefix("iot"), options.log);
  const [dynamodb, sqsAndS3, kmsServer, lambdaServer, ssm, iotData, people] = await Promise.all([
    db.start(),
    startQueueFront(queues, permissions),
    kms.start(),
    lambda.serve(permissions),
    parameters.serve(permissions, arnPrefix("ssm")),
    iot.start(),
    cognito.start(),
  ]);
  return {
    permissions,
    db,
    queues,
    kms,
    iot,
    cognito,
    lambda,
    pseudo,
    environmentOf: ({ id, secret }) => ({
      AWS_REGION: pseudo.region,
      AWS_DEFAULT_REGION: pseudo.region,
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
      AWS_ENDPOINT_URL_SQS: sqsAndS3.url,
      AWS_ENDPOINT_URL_S3: sqsAndS3.url,
      AWS_ENDPOINT_URL_KMS: kmsServer.url,
      AWS_ENDPOINT_URL_LAMBDA: lambdaServer.url,
      AWS_ENDPOINT_URL_SSM: ssm.url,
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: iotData.url,
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: people.url,
      AWS_EC2_METADATA_DISABLED: "true",
      TZ: "UTC",
    }),
    close: async () => {
      await iot.close();
      await lambda.close();
      const servers: readonly LocalServer[] = [sqsAndS3, kmsServer, lambdaServer, ssm, people];
      await Promise.all(servers.map((server) => server.close()));
      await db.close();
    },
  };
}
