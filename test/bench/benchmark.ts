/** What a benchmark measured. `mix` says what one unit of its work consists of. */
export interface BenchmarkResult {
  readonly mix: string;
  readonly figures: readonly { readonly name: string; readonly value: number; readonly unit: string }[];
  /** Figure by figure, without a unit. */
  readonly ratios: Readonly<Record<string, number>>;
}
/** How much of each, where a benchmark lets one choose. */
export const SIZES = ["meters", "reads", "pings", "singles", "pace"] as const;
export type Sizes = Readonly<Partial<Record<(typeof SIZES)[number], number>>>;

export interface Benchmark {
  /** As on the command line. */
  readonly name: string;
  readonly about: string;
  /** `say` shows progress. `sizes`: what the command line says; the benchmark has its own defaults. */
  readonly run: (say: (line: string) => void, sizes: Sizes) => Promise<BenchmarkResult>;
}

/** Runs work and gives what it used: seconds of this process's CPU, and of time. */
export async function used(
  work: () => Promise<void>,
): Promise<{ readonly cpuSeconds: number; readonly seconds: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuSeconds: (user + system) / 1_000_000, seconds: (performance.now() - start) / 1000 };
}
