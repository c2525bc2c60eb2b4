import { type BucketName, LANES, type LayerName, QUEUES, type QueueName, type TableName } from "./resources.ts";

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

const http = (
  rest: Omit<FunctionDescription, "trigger" | "timeoutSeconds" | "memoryMb"> &
    Partial<Pick<FunctionDescription, "memoryMb">> = {},
): FunctionDescription => ({
  trigger: { kind: "http" },
  timeoutSeconds: 20, // the API gives up at 30 s
  memoryMb: 512,
  reserved: 10,
  ...rest,
});

/** What charging accounts and ordering their switches needs. */
const PREPAYMENT = {
  tables: {
    accounts: "erase",
    access: "write",
    registry: "read",
    readings: "read",
    ledger: "write",
    timeline: "write",
    authority: "read",
    audit: "write",
  },
  sends: [...LANES, "notices"],
  invokes: ["plan-job"],
} as const satisfies Partial<FunctionDescription>;

/** Every function of the system: `functions/<name>/handler.ts`, what starts it, and all that it may touch. */
export const FUNCTIONS: Readonly<Record<string, FunctionDescription>> = {
  "submit-job": http({
    tables: { access: "write", registry: "read", readings: "read", ledger: "write", authority: "read", audit: "write" },
    sends: LANES,
    invokes: ["plan-job"],
    reserved: 20,
  }),
  "read-jobs": http({ tables: { access: "read", ledger: "read", timeline: "read" }, reserved: 20 }),
  "cancel-job": http({ tables: { ledger: "write" }, sends: ["notices"] }),
  "pause-job": http({
    tables: { access: "write", registry: "read", readings: "read", ledger: "write" },
    sends: [...LANES, "notices"],
    invokes: ["plan-job"],
    people: true,
    reserved: 5,
  }),
  "enrol-meter": http({
    tables: { registry: "write", access: "write", readings: "write", timeline: "write", audit: "write" },
    keys: "open",
    settings: { TIMELINE_DAYS: "timelineDays", BLOCK_DAYS: "blockDays" },
  }),
  "read-meters": http({ tables: { registry: "read", access: "read", readings: "read" }, reserved: 20 }),
  "read-readings": http({ tables: { registry: "read", readings: "read" }, reserved: 20 }),
  "read-timeline": http({ tables: { registry: "read", readings: "read", timeline: "read" }, reserved: 10 }),
  "read-completeness": http({ tables: { readings: "read" }, reserved: 5 }),
  "read-kpis": http({
    tables: { registry: "read", access: "read", readings: "read", ledger: "read" },
    memoryMb: 1024,
    reserved: 5,
  }),
  "import-meters": http({ tables: { registry: "write" }, buckets: { imports: "write" }, invokes: ["import-rows"] }),
  "manage-exports": http({
    tables: { readings: "write", registry: "read" },
    buckets: { exports: "read" },
    invokes: ["write-export"],
    reserved: 5,
  }),
  "manage-transport-keys": http({ tables: { registry: "write" }, keys: "open" }),
  "manage-groups": http({ tables: { registry: "write", access: "read" } }),
  "manage-group-routes": http({ tables: { registry: "write" }, keys: "open", reserved: 2 }),
  "manage-queries": http({
    tables: { registry: "read", ledger: "erase", readings: "read", access: "read" },
    buckets: { lake: "read" },
    layers: ["duckdb"],
    settings: { FLEET_FILES_ABOVE: "fleetFilesAbove" },
    memoryMb: 1536,
    reserved: 5,
  }),
  "manage-schedules": http({ tables: { ledger: "erase" } }),
  "manage-calendars": http({ tables: { ledger: "erase" }, reserved: 2 }),
  "manage-tariffs": http({ tables: { ledger: "write", readings: "read" }, reserved: 2 }),
  "manage-parked": http({ parked: { queues: QUEUES, access: "drain" }, sends: QUEUES, reserved: 2 }),
  "approve-job": http({
    tables: { access: "write", registry: "read", readings: "read", ledger: "write", audit: "write" },
    sends: LANES,
    invokes: ["plan-job"],
    people: true,
    reserved: 2,
  }),
  "manage-authority": http({
    tables: { access: "write", registry: "read", authority: "write", audit: "write" },
    reserved: 2,
  }),
  "read-audit": http({ tables: { audit: "read" }, buckets: { seals: "read" }, seals: "verify", reserved: 2 }),
  "manage-demand": http({ tables: { ledger: "erase", registry: "read" }, keys: "open", reserved: 5 }),
  "serve-openadr": http({ tables: { ledger: "erase" }, invokes: ["notify-openadr"], reserved: 10 }),
  "manage-outages": http({
    tables: { registry: "read", access: "read", readings: "read", timeline: "read", outages: "erase" },
    reserved: 5,
  }),
  "check-power": http({
    tables: {
      access: "write",
      registry: "read",
      readings: "read",
      timeline: "read",
      ledger: "write",
      outages: "write",
    },
    sends: LANES,
    invokes: ["plan-job"],
    reserved: 5,
  }),
  "manage-prepayment": http({ ...PREPAYMENT, reserved: 10 }),
  "manage-subscriptions": http({
    tables: { ledger: "erase", timeline: "read" },
    keys: "open",
    sends: ["webhooks"],
    settings: { CALLBACKS: "callbacks" },
    reserved: 2,
  }),
  "manage-ways-in": http({ tables: { access: "write" }, reserved: 2 }),
  "describe-api": http({ reserved: 2 }),

  tick: {
    trigger: { kind: "tick" },
    timeoutSeconds: 30,
    memoryMb: 256,
    tables: { registry: "read" },
    invokes: [
      "bootstrap",
      "sweep-ledger",
      "run-schedules",
      "close-days",
      "export-lake",
      "write-export",
      "count-kpis",
      "index-fleet",
      "drive-demand",
      "seal-audit",
      "watch-outages",
      "run-prepayment",
      "tell-storms",
    ],
  },
  bootstrap: {
    trigger: { kind: "invoked" },
    timeoutSeconds: 300,
    memoryMb: 512,
    reserved: 1,
    tables: { registry: "write", authority: "write" },
    keys: "create",
    settings: { DEMO_GROUPS: "demoGroups" },
  },
  "sweep-ledger": {
    trigger: { kind: "invoked" },
    people: true,
    timeoutSeconds: 300,
    memoryMb: 1024,
    tables: {
      access: "write",
      registry: "read",
      readings: "read",
      ledger: "erase",
      timeline: "write",
      audit: "write",
    },
    settings: { TIMELINE_DAYS: "timelineDays" },
    sends: [...LANES, "notices"],
    measures: LANES,
    invokes: ["plan-job"],
    countsUnverified: true,
  },
  "run-schedules": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 120,
    memoryMb: 512,
    tables: { access: "write", registry: "read", readings: "read", ledger: "erase" },
    sends: LANES,
    invokes: ["plan-job"],
  },
  "close-days": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 900,
    memoryMb: 1024,
    reserved: 2,
    tables: { access: "write", registry: "read", readings: "write", ledger: "write" },
    sends: LANES,
    invokes: ["plan-job", "close-days"],
    countsUnaccounted: true,
  },
  "export-lake": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 900,
    memoryMb: 3008,
    storageMb: 4096,
    reserved: 1, // two would write the same files
    tables: { readings: "erase" },
    buckets: { lake: "erase" },
    layers: ["duckdb"],
    settings: { BLOCK_DAYS: "blockDays" },
  },
  "write-export": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 900,
    memoryMb: 3008,
    storageMb: 8192,
    reserved: 1, // what one says went out is what the next leaves out
    tables: { readings: "erase", registry: "read", access: "read" },
    buckets: { lake: "erase", exports: "write" },
    invokes: ["write-export"],
    layers: ["duckdb"],
    settings: { BLOCK_DAYS: "blockDays", DAILY_EXPORT: "dailyExport" },
  },
  "index-fleet": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 900,
    memoryMb: 2048,
    reserved: 1,
    tables: { registry: "erase", access: "read" },
    buckets: { lake: "erase" },
    layers: ["duckdb"],
  },
  "count-kpis": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 300,
    memoryMb: 1024,
    reserved: 1,
    tables: { registry: "read", readings: "write" },
  },
  "drive-demand": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 300,
    memoryMb: 1024,
    reserved: 1,
    tables: { access: "write", registry: "read", readings: "read", ledger: "erase", authority: "read" },
    sends: LANES,
    keys: "open",
    invokes: ["plan-job", "notify-openadr"],
  },
  "notify-openadr": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 60,
    memoryMb: 256,
    reserved: 5,
    settings: { CALLBACKS: "callbacks" },
  },
  "seal-audit": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 120,
    memoryMb: 512,
    reserved: 1,
    tables: { audit: "read" },
    buckets: { seals: "write" },
    seals: "sign",
    countsBrokenAudit: true,
  },
  "watch-outages": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 300,
    memoryMb: 1024,
    reserved: 1, // what one tells, in the order in which it tells it
    tables: { access: "write", registry: "read", readings: "read", ledger: "write", outages: "erase" },
    sends: [...LANES, "notices"],
    invokes: ["plan-job"],
    settings: { OUTAGE_HOLD_SECONDS: "outageHoldSeconds" },
  },
  "run-prepayment": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 900,
    memoryMb: 1024,
    ...PREPAYMENT,
  },
  "plan-job": {
    trigger: { kind: "invoked" },
    people: true,
    timeoutSeconds: 900,
    memoryMb: 2048,
    tables: { access: "write", registry: "read", readings: "read", ledger: "write" },
    buckets: { lake: "read" },
    layers: ["duckdb"],
    settings: { FLEET_FILES_ABOVE: "fleetFilesAbove" },
    sends: LANES,
    invokes: ["plan-job"],
  },
  "ingest-results": {
    trigger: { kind: "queue", queue: "results", batch: 10, concurrency: 20 },
    timeoutSeconds: 60,
    memoryMb: 1024,
    tables: {
      access: "write",
      registry: "write",
      ledger: "write",
      readings: "write",
      timeline: "write",
      audit: "write",
      outages: "write",
    },
    buckets: { evidence: "write" },
    settings: { TIMELINE_DAYS: "timelineDays", BLOCK_DAYS: "blockDays" },
    sends: ["notices"],
    parked: { queues: ["results"], access: "send" },
    countsUnverified: true,
  },
  "match-events": {
    trigger: { kind: "queue", queue: "notices", batch: 10, concurrency: 5 },
    timeoutSeconds: 60,
    memoryMb: 512,
    tables: { ledger: "read", registry: "read", timeline: "write" },
    sends: ["webhooks"],
  },
  "tell-storms": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 120,
    memoryMb: 512,
    reserved: 1, // two would tell the same storm
    tables: { timeline: "erase" },
    sends: ["webhooks"],
  },
  "deliver-webhooks": {
    trigger: { kind: "queue", queue: "webhooks", batch: 10, concurrency: 10 },
    timeoutSeconds: 60,
    memoryMb: 256,
    tables: { ledger: "write" },
    keys: "open",
    sends: ["webhooks"],
    parked: { queues: ["webhooks"], access: "send" },
    settings: { CALLBACKS: "callbacks" },
    countsSuspended: true,
  },
  "import-rows": {
    trigger: { kind: "invoked" },
    timeoutSeconds: 900,
    memoryMb: 1024,
    tables: { registry: "write", access: "write" },
    buckets: { imports: "write" },
    invokes: ["import-rows"],
    keys: "open",
  },
};
