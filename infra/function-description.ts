import type { BucketName, LayerName, QueueName, TableName } from "./resources.ts";

/** What a function may do with a table: `read` gets and queries; `write` also puts and updates; `erase` also deletes. */
export type TableAccess = "read" | "write" | "erase";
/** What a function may do with objects: `erase` also deletes. */
export type BucketAccess = "read" | "write" | "erase";
/** `open`: seal and open meter keys under existing branch keys. `create`: also make branch keys. */
export type KeyAccess = "open" | "create";

/** `sign` also verifies. */
export type SealAccess = "verify" | "sign";

export type Trigger =
  /** A route of shared/api/routes.ts names it. */
  | { readonly kind: "http" }
  /** Another function invokes it asynchronously. */
  | { readonly kind: "invoked" }
  | { readonly kind: "tick" }
  /** Batches of a queue, with partial batch responses; `concurrency` bounds how many run at once. */
  | { readonly kind: "queue"; readonly queue: QueueName; readonly batch: number; readonly concurrency: number };

export interface FunctionDescription {
  readonly trigger: Trigger;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** Environments that no other function can take away; also the most that it can take. */
  readonly reserved?: number;
  readonly tables?: Readonly<Partial<Record<TableName, TableAccess>>>;
  readonly buckets?: Readonly<Partial<Record<BucketName, BucketAccess>>>;
  /** Queues that it sends to; `measures` also asks how full they are. */
  readonly sends?: readonly QueueName[];
  readonly measures?: readonly QueueName[];
  /** Dead-letter queues that it looks into and empties, or parks into. */
  readonly parked?: { readonly queues: readonly QueueName[]; readonly access: "drain" | "send" };
  readonly invokes?: readonly string[];
  readonly keys?: KeyAccess;
  /** What it does with the key that seals the audit. */
  readonly seals?: SealAccess;
  /** It asks the directory which roles people hold. */
  readonly people?: true;
  /** Native packages that it loads. */
  readonly layers?: readonly LayerName[];
  /** Of /tmp, MB. @default 512, which costs nothing */
  readonly storageMb?: number;
  /** It counts tasks that end `unverified`, each of which is an alarm. */
  readonly countsUnverified?: true;
  /** It counts intervals of which the sources of completeness differ, each of which is an alarm. */
  readonly countsUnaccounted?: true;
  /** It counts audit chains that do not follow from what was sealed, each of which is an alarm. */
  readonly countsBrokenAudit?: true;
  /** It counts subscriptions that it suspends, each of which is an alarm. */
  readonly countsSuspended?: true;
  /** Settings of the deployment that it is told, by variable. */
  readonly settings?: Readonly<
    Record<
      string,
      | "demoGroups"
      | "timelineDays"
      | "blockDays"
      | "dailyExport"
      | "callbacks"
      | "outageHoldSeconds"
      | "fleetFilesAbove"
    >
  >;
}
