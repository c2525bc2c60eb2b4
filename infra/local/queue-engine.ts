import { buildApp } from "fauxqs";

type App = ReturnType<typeof buildApp>;
type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>["stores"]>;
export type SqsStore = Stores["sqsStore"];
export type S3Store = Stores["s3Store"];

interface Persistence {
  load(sqs: SqsStore, sns: Stores["snsStore"], s3: S3Store): void;
  close(): void;
}

/** fauxqs' own modules: its index exports only `startFauxqs` with persistence, which listens on every interface. */
async function internals() {
  const part = async (path: string): Promise<Record<string, unknown>> =>
    (await import(new URL(path, import.meta.resolve("fauxqs")).href)) as Record<string, unknown>;
  const [sqs, sns, s3, persistence] = await Promise.all([
    part("sqs/sqsStore.js"),
    part("sns/snsStore.js"),
    part("s3/s3Store.js"),
    part("persistence.js"),
  ]);
  return {
    SqsStore: sqs.SqsStore as new () => SqsStore,
    SnsStore: sns.SnsStore as new () => Stores["snsStore"],
    S3Store: s3.S3Store as new () => S3Store,
    PersistenceManager: persistence.PersistenceManager as new (dataDir: string) => Persistence,
  };
}

export interface QueueEngine {
  readonly app: App;
  readonly sqs: SqsStore;
  readonly s3: S3Store;
  close(): Promise<void>;
}

/** The engine of queues and objects (fauxqs), not listening yet. `dataDir`: keep both there. */
export async function openQueueEngine(dataDir?: string): Promise<QueueEngine> {
  const { SqsStore, SnsStore, S3Store, PersistenceManager } = await internals();
  const stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  const persistence = dataDir === undefined ? undefined : new PersistenceManager(dataDir);
  if (persistence !== undefined) {
    // Loaded first, wired afterwards: what is loaded must not be written again.
    persistence.load(stores.sqsStore, stores.snsStore, stores.s3Store);
    Object.assign(stores.sqsStore, { persistence });
    Object.assign(stores.s3Store, { persistence });
    for (const queue of stores.sqsStore.allQueues()) Object.assign(queue, { persistence });
  }
  const app = buildApp({ logger: false, stores });
  return {
    app,
    sqs: stores.sqsStore,
    s3: stores.s3Store,
    close: async () => {
      await app.close();
      persistence?.close();
    },
  };
}
