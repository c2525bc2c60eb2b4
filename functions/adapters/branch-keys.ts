import { BranchKeyStoreNode } from "@aws-crypto/branch-keystore-node";
import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { Clock } from "../../shared/ports/clock.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { below, type Random } from "../../shared/ports/random.ts";

type BranchKey = Awaited<ReturnType<BranchKeyStoreNode["getActiveBranchKey"]>>;

export interface BranchKeySettings {
  readonly table: string;
  /** Logical name of the key store: bound into every branch key, so it can never change. */
  readonly name: string;
  /** The deployment's multi-Region KMS key. */
  readonly kmsKeyArn: string;
  readonly deployment: string;
  readonly dynamo: DynamoDBClient;
  readonly kms: KMSClient;
  readonly clock: Pick<Clock, "now">;
  /** Spreads refreshes; nothing secret. */
  readonly random: Random;
  /** After so long a branch key is fetched again; the fetch begins at 0.8 to 1.0 of it. Default 10 min. */
  readonly ttlMs?: number;
  /** So long an old one serves while KMS or the table does not answer. Default 60 min. */
  readonly hardMaxMs?: number;
}

interface Entry {
  readonly key: BranchKey;
  readonly loadedAt: number;
  refreshAt: number;
}

/** A failed refresh is tried again after so long. */
const REFRESH_RETRY_MS = 5_000;

/**
 * The Encryption SDK's branch key store with one fetch at a time for each branch key: the SDK's own cache calls KMS once
 * for each concurrent operation that finds it cold. Refreshes ahead of time, and rides out a brown-out of KMS.
 */
export class SingleFlightBranchKeys extends BranchKeyStoreNode {
  readonly #settings: BranchKeySettings;
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Promise<BranchKey>>();
  readonly #failures: { count: number; last?: HeadraceError } = { count: 0 };

  constructor(settings: BranchKeySettings) {
    super({
      logicalKeyStoreName: settings.name,
      storage: { ddbTableName: settings.table, ddbClient: settings.dynamo },
      keyManagement: { kmsClient: settings.kms },
      kmsConfiguration: { mrkIdentifier: settings.kmsKeyArn },
    });
    this.#settings = settings;
  }

  override getActiveBranchKey(branchKeyId: string): Promise<BranchKey> {
    return this.#get(`${branchKeyId}/active`, () => super.getActiveBranchKey(branchKeyId));
  }

  override getBranchKeyVersion(branchKeyId: string, version: string): Promise<BranchKey> {
    return this.#get(`${branchKeyId}/${version}`, () => super.getBranchKeyVersion(branchKeyId, version));
  }

  /** Makes the branch key if there is none. True: made. */
  async seed(branchKeyId: string): Promise<boolean> {
    const { dynamo, table, deployment } = this.#settings;
    const Key = { "branch-key-id": { S: branchKeyId }, type: { S: "branch:ACTIVE" } };
    const { Item } = await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    if (Item !== undefined) return false;
    // Of two that seed at once the library's condition lets one through; the other fails and finds it at its next try.
    await this.createKey({ branchKeyIdentifier: branchKeyId, encryptionContext: { deployment } });
    return true;
  }

  /** Fetches that have failed so far. */
  get failures(): number {
    return this.#failures.count;
  }

  /** The last failed fetch, if there was one since `count`: the SDK wraps it in an error without type. */
  failureSince(count: number): HeadraceError | undefined {
    return this.#failures.count > count ? this.#failures.last : undefined;
  }

  async #get(name: string, fetch: () => Promise<BranchKey>): Promise<BranchKey> {
    const now = this.#settings.clock.now();
    const entry = this.#entries.get(name);
    if (entry === undefined || now >= entry.loadedAt + (this.#settings.hardMaxMs ?? 3_600_000))
      return this.#fly(name, fetch);
    if (now >= entry.refreshAt && !this.#flights.has(name))
      this.#fly(name, fetch).catch(() => {
        entry.refreshAt = this.#settings.clock.now() + REFRESH_RETRY_MS; // the old one serves until its hard maximum
      });
    return entry.key;
  }

  #fly(name: string, fetch: () => Promise<BranchKey>): Promise<BranchKey> {
    const flying = this.#flights.get(name);
    if (flying !== undefined) return flying;
    const flight = fetch()
      .then((key) => this.#keep(name, key))
      .catch((error: unknown) => {
        const message = `expected branch key ${name} from the key store and KMS`;
        this.#failures.last = new HeadraceError("vault.unavailable", message, { retry: "later", cause: error });
        this.#failures.count++;
        throw this.#failures.last;
      })
      .finally(() => this.#flights.delete(name));
    this.#flights.set(name, flight);
    return flight;
  }

  #keep(name: string, key: BranchKey): BranchKey {
    const { clock, random, ttlMs = 600_000 } = this.#settings;
    const replaced = this.#entries.get(name)?.key;
    const loadedAt = clock.now();
    this.#entries.set(name, { key, loadedAt, refreshAt: loadedAt + 0.8 * ttlMs + below(random, 0.2 * ttlMs) });
    // Whoever was handed the old one uses it before the next turn of the event loop.
    if (replaced !== undefined) setImmediate(() => replaced.zeroUnencryptedDataKey());
    return key;
  }
}
