import { storm } from "../simulation/storm.ts";
import { type Score, scoreOutages, scoreRestorations } from "../simulation/storm-score.ts";
import type { Benchmark } from "./benchmark.ts";

const METERS_A_FEEDER = 100;
const OPTIONS = { minutes: 150, lost: 0.3, momentaries: 3 } as const;
/** A storm over so few feeders at once is as good as one over many: feeders are judged one by one. */
const FEEDERS = 10;

/** The constants of the detector were chosen on seeds 1 to 6: these are others. */
const FIRST_SEED = 101;

const sumOf = (scores: readonly Score[]) => {
  const of = (key: "right" | "told" | "found" | "there"): number => scores.reduce((sum, score) => sum + score[key], 0);
  return { right: of("right"), told: of("told"), found: of("found"), there: of("there") };
};

export const stormBenchmark: Benchmark = {
  name: "storm",
  about: "precision and recall of outages and restorations in a simulated storm (--meters 5000)",
  async run(say, { meters = 5_000 }) {
    const rounds = Math.max(1, Math.round(meters / METERS_A_FEEDER / FEEDERS));
    const [outages, restorations]: [Score[], Score[]] = [[], []];
    let [simulated, faults, pings, momentaries, passes] = [0, 0, 0, 0, 0];
    const start = performance.now();
    for (let round = 1; round <= rounds; round++) {
      const end = await storm({ seed: FIRST_SEED + round, feeders: FEEDERS, ...OPTIONS });
      outages.push(scoreOutages(end));
      restorations.push(scoreRestorations(end));
      simulated += end.meters.length;
      faults += end.faults.length;
      pings += end.pings;
      momentaries += end.momentaries;
      passes += end.passes.reduce((sum, pass) => sum + pass.feeders, 0);
      say(`${round} of ${rounds}`);
    }
    const seconds = (performance.now() - start) / 1000;
    const [found, restored] = [sumOf(outages), sumOf(restorations)];
    const rounded = (value: number): number => Math.round(value * 1000) / 1000;
    return {
      mix: `${simulated} meters on ${rounds * FEEDERS} feeders for ${OPTIONS.minutes} minutes: faults of feeders, laterals, transformers and services, some within others, and momentary ones; 30 % of last gasps and of notices of restoration are lost, others late or repeated; 3 % of pings are lost`,
      figures: [
        { name: "faults", value: faults, unit: "" },
        { name: "outages told", value: found.told, unit: "" },
        { name: "outages there", value: found.there, unit: "" },
        { name: "restorations told", value: restored.told, unit: "" },
        { name: "momentary interruptions counted", value: momentaries, unit: "" },
        { name: "pings a meter", value: rounded(pings / simulated), unit: "" },
        { name: "evaluations of a feeder", value: Math.round(passes / seconds), unit: "1/s, with the storm" },
      ],
      ratios: {
        "outages: precision": rounded(found.right / found.told),
        "outages: recall": rounded(found.found / found.there),
        "restorations: precision": rounded(restored.right / restored.told),
        "restorations: recall": rounded(restored.found / restored.there),
      },
    };
  },
};
