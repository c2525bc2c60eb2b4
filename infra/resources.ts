import type { Parameters } from "./parameters.ts";

/** The lanes, most urgent first, as `shared/jobs/lane.ts` has them (a test compares). */
export const LANES = ["commands", "interactive", "urgent", "bulk", "images"] as const;
/**
 * Every queue of the system: a lane each, what bridges report, what endpoints that sleep say by MQTT, recorded events that
 * somebody subscribed to, and webhooks to be sent.
 */
export const QUEUES = [...LANES, "results", "uplink", "notices", "webhooks"] as const;
export const TABLES = [
  "access",
  "registry",
  "ledger",
  "readings",
  "timeline",
  "keystore",
  "authority",
  "audit",
  "outages",
  "accounts",
] as const;
export const BUCKETS = ["evidence", "imports", "lake", "exports", "seals"] as const;
/**
 * Layers by name: the package that each holds with all that it needs. A native package cannot be in a bundle: whoever loads it
 * does so by `require`, and declares its layer in `infra/functions.ts`.
 */
export const LAYERS = { duckdb: { package: "@duckdb/node-api" } } as const;
export const ROLES = ["operator", "supervisor", "analyst", "administrator", "subscriber"] as const;

export type QueueName = (typeof QUEUES)[number];
export type TableName = (typeof TABLES)[number];
export type BucketName = (typeof BUCKETS)[number];
export type LayerName = keyof typeof LAYERS;

/** A queue as its users see it: where it is, and what a policy names. */
export interface QueueReference {
  readonly url: string;
  readonly arn: string;
}
export interface QueuePair {
  readonly queue: QueueReference;
  readonly parked: QueueReference;
}

/** The state that functions and bridge work on; each name is resolved at deployment, and asked for only where it is used. */
export interface StateReferences {
  table(name: TableName): string;
  bucket(name: BucketName): string;
  keyArn(): string;
  /** Of the key pair that signs seals of the audit. */
  sealKeyArn(): string;
  /** Id of the user pool. */
  userPool(): string;
  readonly keyStoreName: string;
}
/** The queues likewise. */
export type QueueReferences = (name: QueueName) => QueuePair;

/** Secondary indexes by table. */
export const INDEXES: Readonly<Partial<Record<TableName, readonly string[]>>> = {
  registry: ["directory"],
  ledger: ["due"],
};

export const TABLE_VARIABLES: Readonly<Record<TableName, string>> = {
  access: "ACCESS_TABLE",
  registry: "REGISTRY_TABLE",
  ledger: "LEDGER_TABLE",
  readings: "READINGS_TABLE",
  timeline: "TIMELINE_TABLE",
  keystore: "KEYSTORE_TABLE",
  authority: "AUTHORITY_TABLE",
  audit: "AUDIT_TABLE",
  outages: "OUTAGES_TABLE",
  accounts: "ACCOUNTS_TABLE",
};
export const BUCKET_VARIABLES: Readonly<Record<BucketName, string>> = {
  evidence: "EVIDENCE_BUCKET",
  imports: "IMPORT_BUCKET",
  lake: "LAKE_BUCKET",
  exports: "EXPORT_BUCKET",
  seals: "SEAL_BUCKET",
};
export const queueVariable = (queue: QueueName): string => `${queue.toUpperCase()}_QUEUE_URL`;
export const parkedVariable = (queue: QueueName): string => `${queue.toUpperCase()}_PARKED_QUEUE_URL`;
export const functionVariable = (name: string): string => `${name.toUpperCase().replaceAll("-", "_")}_FUNCTION`;

/** The logical key-store name is bound into every branch key and can never change: it is not the table's name. */
export const keyStoreNameOf = (deployment: string): string => `${deployment}-keys`;

export const askForState = (parameters: Parameters, deployment: string): StateReferences => ({
  table: (name) => parameters.ask(`tables/${name}`),
  bucket: (name) => parameters.ask(`buckets/${name}`),
  keyArn: () => parameters.ask("key/arn"),
  sealKeyArn: () => parameters.ask("seal-key/arn"),
  userPool: () => parameters.ask("users/pool"),
  keyStoreName: keyStoreNameOf(deployment),
});

export const askForQueues = (parameters: Parameters): QueueReferences => {
  const reference = (name: string): QueueReference => ({
    get url() {
      return parameters.ask(`queues/${name}/url`);
    },
    get arn() {
      return parameters.ask(`queues/${name}/arn`);
    },
  });
  return (name) => ({ queue: reference(name), parked: reference(`${name}-parked`) });
};
