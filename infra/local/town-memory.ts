import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { MeterMemory } from "../../shared/simulator/any-meter.ts";
import type { CounterWitness } from "../../shared/simulator/counter-witness.ts";
import type { DemandResets } from "../../shared/simulator/demand-resets.ts";

const Counter = z.int().min(0).max(0xffff_ffff);
const StoredCounters = z.strictObject({
  lastAccepted: Counter.optional(),
  nextOwn: z.int().min(0),
  runs: z.array(z.tuple([Counter, Counter])),
  accepted: z.int().min(0),
  repeated: z.array(Counter),
  lower: z.array(Counter),
});
const StoredTown = z.strictObject({
  version: z.literal(1),
  seed: z.int(),
  /** Second octet of the loopback network: enrolled meters keep their addresses. */
  network: z.int().min(0).max(255).optional(),
  counters: z.record(z.string(), StoredCounters),
  /** Of meters whose demand was reset by order. */
  resets: z.record(z.string(), z.strictObject({ count: z.int().min(1), lastAt: z.int() })).optional(),
});
type StoredTown = z.infer<typeof StoredTown>;

const SAVE_AFTER_MS = 1_000;
/** A town that was killed may have sent this many messages of a meter since it last saved. */
const OWN_MARGIN = 100_000;

/** What of a meter outlives it. */
interface Remembering {
  readonly counters: CounterWitness;
  readonly resets: DemandResets;
}

/** What meters keep over a power cut: a file in the data folder, written when something changed, at most once a second. */
export class TownMemory {
  readonly #file: string;
  readonly #stored: StoredTown;
  #network: number | undefined;
  #meters: ReadonlyMap<string, Remembering> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(file: string, stored: StoredTown) {
    this.#file = file;
    this.#stored = stored;
    this.#network = stored.network;
  }

  /** Throws `town.other-seed` when the folder belongs to a town of another seed. */
  static async open(folder: string, seed: number): Promise<TownMemory> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, "town.json");
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    const stored =
      text === undefined ? { version: 1 as const, seed, counters: {} } : StoredTown.parse(JSON.parse(text));
    if (stored.seed !== seed)
      throw new HeadraceError(
        "town.other-seed",
        `${file} belongs to a town of seed ${stored.seed}: start it with --seed ${stored.seed}, or choose another folder`,
        { retry: "never" },
      );
    return new TownMemory(file, stored);
  }

  get network(): number | undefined {
    return this.#network;
  }

  keepNetwork(network: number): void {
    this.#network = network;
    this.changed();
  }

  of(meterId: string): MeterMemory {
    const stored = this.#stored.counters[meterId];
    return {
      counters: stored && { ...stored, lastAccepted: stored.lastAccepted, nextOwn: stored.nextOwn + OWN_MARGIN },
      resets: this.#stored.resets?.[meterId],
      changed: () => this.changed(),
    };
  }

  watch(meters: ReadonlyMap<string, Remembering>): void {
    this.#meters = meters;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#saving = this.#saving.then(() => this.#save());
    }, SAVE_AFTER_MS).unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving;
    await this.#save();
  }

  async #save(): Promise<void> {
    const counters = { ...this.#stored.counters };
    const resets = { ...this.#stored.resets };
    for (const [meterId, meter] of this.#meters) {
      const { lastAccepted, runs, repeated, lower, ...rest } = meter.counters.state;
      counters[meterId] = {
        ...rest,
        ...(lastAccepted !== undefined && { lastAccepted }),
        runs: runs.map(([first, last]) => [first, last]),
        repeated: [...repeated],
        lower: [...lower],
      };
      if (meter.resets.state.count > 0) resets[meterId] = { ...meter.resets.state };
    }
    const town: StoredTown = {
      version: 1,
      seed: this.#stored.seed,
      ...(this.#network !== undefined && { network: this.#network }),
      counters,
      resets,
    };
    await writeFile(`${this.#file}.new`, JSON.stringify(town));
    await rename(`${this.#file}.new`, this.#file);
  }
}
