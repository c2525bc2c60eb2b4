import { readResults } from "../../shared/jobs/result-envelope.ts";
import type { SliceKey } from "../../shared/jobs/slice.ts";
import type { BlockKey } from "../../shared/readings/blocks.ts";
import { intervalEnd } from "../../shared/readings/day-block.ts";
import { decodeDayBlock } from "../../shared/readings/day-block-codec.ts";
import { type Violations, violate } from "./violations.ts";

/** Values by what they say: `<segment>#<slot>#<measurement>#<instant>`. */
type Readings = Map<string, bigint>;

/** Follows readings from the bridge's word to the blocks: what ingest accepted is there, once, for ever. */
export class ReadingInvariants {
  /** What ingest has acknowledged. */
  readonly #accepted: Readings = new Map();
  readonly #stored: Readings = new Map();
  /** Task → readings of each report that says `done`. */
  readonly #done = new Map<string, string[][]>();
  readonly #overs = new Set<string>();
  readonly #violations: Violations;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  get count(): number {
    return this.#accepted.size;
  }

  /** A bridge has handed in this batch. */
  sent(text: string): void {
    for (const { task, readings } of this.#reports(text)) {
      const known = this.#done.get(task);
      if (known === undefined) this.#done.set(task, [[...readings.keys()]]);
      else known.push([...readings.keys()]);
    }
    const batch = readResults(text);
    if (batch.kind === "batch" && batch.envelope.passOver)
      this.#overs.add(overOf({ ...batch.envelope, jobId: batch.envelope.job }, batch.envelope));
  }

  /** Ingest has gone through this batch. */
  accepted(text: string): void {
    for (const { readings } of this.#reports(text))
      for (const [reading, value] of readings) {
        this.#accepted.set(reading, value);
        if (this.#stored.get(reading) !== value) violate(this.#violations, `accepted reading ${reading} is not stored`);
      }
  }

  wrote({ segment, slot, day }: BlockKey, octets: Uint8Array): void {
    const block = decodeDayBlock(day, octets);
    const there = new Set<string>();
    const store = (reading: string, value: bigint): void => {
      if (there.has(reading)) violate(this.#violations, `reading ${reading} is stored twice`);
      there.add(reading);
      this.#stored.set(reading, value);
      const accepted = this.#accepted.get(reading);
      if (accepted !== undefined && accepted !== value)
        violate(this.#violations, `accepted reading ${reading} changed`);
    };
    for (const { measurement, at, origin, value } of block.registers)
      store(`${segment}#${slot}#${measurement}#${at ?? origin.at}`, value);
    for (const [number, { values }] of block.entries)
      for (const [channel, value] of values.entries())
        if (value !== undefined)
          store(`${segment}#${slot}#i${channel}#${intervalEnd(day, block.period, number)}`, value);
    const values = new Set(block.registers.map(({ value }) => value));
    if (values.size < block.registers.length && block.registers.every(({ at }) => at !== undefined))
      violate(this.#violations, `a register of ${segment}#${slot} is counted twice`);
  }

  /** Whether what some `done` report of the task brought is stored. */
  isStored({ jobId, segment }: SliceKey, slot: number): boolean {
    const reports = this.#done.get(`${jobId}#${segment}#${slot}`) ?? [];
    return reports.some((readings) => readings.every((reading) => this.#stored.has(reading)));
  }

  /** Whether this bridge has said that its pass is over. */
  passOverSaid(key: SliceKey, pass: Pass): boolean {
    return this.#overs.has(overOf(key, pass));
  }

  #reports(text: string): { readonly task: string; readonly readings: Readings }[] {
    const batch = readResults(text);
    if (batch.kind !== "batch") return [];
    const { job, segment } = batch.envelope;
    return batch.reports.flatMap(({ slot, at, outcome, registers = [], intervals = [] }) => {
      if (outcome.kind !== "done") return [];
      const readings: Readings = new Map();
      for (const { m, v, at: captured } of registers) readings.set(`${segment}#${slot}#${m}#${captured ?? at}`, v);
      for (const { ends, values } of intervals)
        for (const [channel, column] of values.entries())
          for (const [index, value] of column.entries())
            if (value !== null) readings.set(`${segment}#${slot}#i${channel}#${ends[index]}`, value);
      return [{ task: `${job}#${segment}#${slot}`, readings }];
    });
  }
}

interface Pass {
  readonly generation: number;
  readonly bridge: string;
}
const overOf = ({ jobId, segment, part }: SliceKey, { generation, bridge }: Pass): string =>
  `${jobId}#${segment}.${part}#${generation} ${bridge}`;
