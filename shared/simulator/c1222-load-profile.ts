import { STANDARD_TABLES } from "../c1219/standard-tables.ts";
import { type TableRecord, writeElement } from "../c1219/table-layout.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { type C1222Form, SCALAR_SET2, type SetForm } from "./c1222-form.ts";
import { atScaler, type Measured } from "./c1222-quantities.ts";
import { type MeterState, statusAt } from "./meter-state.ts";
import type { TrueIntervalSet } from "./truth-log.ts";

/** Common bits of the extended status, by the neutral ones. */
const STATUS_BITS = [
  [INTERVAL_STATUS.daylightSaving, 0x10],
  [INTERVAL_STATUS.powerDown, 0x20],
  [INTERVAL_STATUS.clockAdjusted, 0x40],
] as const;
const TELLABLE = STATUS_BITS.reduce((bits, [neutral]) => bits | neutral, 0);

/** The rings of a meter's load profiles: a block a UTC day, the newest partly filled. */
export class C1222LoadProfiles {
  readonly #state: MeterState;
  readonly #form: C1222Form;
  readonly #measured: Measured;

  constructor(state: MeterState, form: C1222Form, measured: Measured) {
    this.#state = state;
    this.#form = form;
    this.#measured = measured;
  }

  /** Number of the interval that ends at `end`: intervals are numbered from 1970 on. */
  #newest({ profile }: SetForm): number {
    return Math.floor(this.#state.now() / (profile.period * 1000)) - 1;
  }

  #element({ blocks }: SetForm, block: number): number {
    const at = ((block % blocks) + blocks) % blocks;
    return this.#form.options.falling === true ? (blocks - at) % blocks : at;
  }

  /** Table 63. */
  status(): TableRecord {
    const falling = this.#form.options.falling === true;
    return Object.fromEntries(
      this.#form.sets.map((set) => {
        const { profile, blocks, intervalsABlock } = set;
        const newest = this.#newest(set);
        const block = Math.floor(newest / intervalsABlock);
        const periodMs = profile.period * 1000;
        const first = ((block - blocks + 1) * intervalsABlock + 1) * periodMs;
        this.#state.truth.profileServed(this.#state.trueNow(), first, (newest + 1) * periodMs, profile.channelSet);
        return [
          `SET${profile.set}`,
          {
            FLAGS: { BLOCK_ORDER: falling, INTERVAL_ORDER: falling, LIST_TYPE: true, ACTIVE_MODE_FLAG: true },
            NBR_VALID_BLOCKS: blocks,
            LAST_BLOCK_ELEMENT: this.#element(set, block),
            LAST_BLOCK_SEQ_NBR: block * intervalsABlock,
            NBR_UNREAD_BLOCKS: 0,
            NBR_VALID_INT: (newest % intervalsABlock) + 1,
          },
        ];
      }),
    );
  }

  /** One element of a set's table. */
  block(set: SetForm, element: number): Uint8Array {
    const { profile, intervalsABlock, blocks, channels } = set;
    const falling = this.#form.options.falling === true;
    const newest = this.#newest(set);
    const newestBlock = Math.floor(newest / intervalsABlock);
    const age = Array.from({ length: blocks }, (_, back) => back).find(
      (back) => this.#element(set, newestBlock - back) === element,
    );
    const first = (newestBlock - (age ?? 0)) * intervalsABlock;
    const valid = Math.min(intervalsABlock, newest - first + 1);
    const periodMs = profile.period * 1000;
    // Where intervals fall, the newest stands first.
    const orderOf = (place: number): number => (falling ? valid - 1 - place : place);
    const value: TableRecord = {
      BLK_END_TIME: (first + valid) * periodMs,
      END_READINGS: Array.from({ length: channels }, () => ({})),
      SIMPLE_INT_STATUS: Array.from({ length: valid }, (_, place) => place),
      LP_INT: Array.from({ length: intervalsABlock }, (_, place) => {
        const filled = place < valid;
        const end = (first + orderOf(place) + 1) * periodMs;
        const flags = filled ? statusAt(this.#state, end, periodMs) : 0;
        const status = new Uint8Array(Math.floor(channels / 2) + 1);
        status[0] = STATUS_BITS.reduce((bits, [neutral, bit]) => bits | ((flags & neutral) === 0 ? 0 : bit), 0);
        const data = Array.from({ length: channels }, (_, channel) => (filled ? this.#raw(set, channel, end) : 0));
        return { EXTENDED_INT_STATUS: status, INT_DATA_UINT32: data };
      }),
    };
    const fields = STANDARD_TABLES.get(set.table)?.fields ?? [];
    return writeElement(fields, this.#form.context, "LP_DATA_BLK", value);
  }

  /** What stands in the table for a channel's interval; the second set has a scalar. */
  #raw({ profile }: SetForm, channel: number, end: number): number {
    const found = profile.channels.find((one) => one.channel === channel);
    if (found === undefined) return 0;
    const shown = this.#measured(found.measurement, end, profile.period * 1000);
    return profile.set === 2 ? Math.floor(atScaler(shown, found.scaler) / SCALAR_SET2) : atScaler(shown, found.scaler);
  }

  /** What the sets held of (from, to] when they were last asked for; never asked: hold now. */
  truth(from: number, to: number): readonly TrueIntervalSet[] {
    return this.#form.sets.map((set) => {
      const { profile, intervalsABlock, blocks } = set;
      const periodMs = profile.period * 1000;
      const newest = this.#newest(set);
      const oldest = (Math.floor(newest / intervalsABlock) - blocks + 1) * intervalsABlock;
      const served = this.#state.truth.lastProfileOf(profile.channelSet);
      const firstEnd = Math.max(
        served?.firstEnd ?? (oldest + 1) * periodMs,
        (Math.floor(from / periodMs) + 1) * periodMs,
      );
      const lastEnd = Math.min(served?.lastEnd ?? (newest + 1) * periodMs, to);
      const ends = Array.from(
        { length: Math.max(0, Math.floor((lastEnd - firstEnd) / periodMs) + 1) },
        (_, index) => firstEnd + index * periodMs,
      );
      return {
        channelSet: profile.channelSet,
        period: profile.period,
        channels: profile.channels.map(({ measurement, scaler }) => ({ measurement, scaler })),
        entries: ends.map((end) => ({
          end,
          values: profile.channels.map(({ channel }) => {
            const raw = this.#raw(set, channel, end);
            return BigInt(profile.set === 2 ? raw * SCALAR_SET2 : raw);
          }),
          status: statusAt(this.#state, end, periodMs) & TELLABLE,
        })),
      };
    });
  }
}
