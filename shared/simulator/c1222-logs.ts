import { STANDARD_EVENTS } from "../c1219/event-codes.ts";
import type { TableRecord } from "../c1219/table-layout.ts";
import type { C1222Log, C1222Profile } from "../metering/c1222-profile.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import type { MeterEvent } from "../metering/result.ts";
import { toHex } from "../ports/octets.ts";
import { EVENT_DATA_OCTETS, EVENT_SET_OCTETS, LOG_ENTRIES } from "./c1222-form.ts";
import type { MeterState } from "./meter-state.ts";

const DAY_MS = 86_400_000;
/** Numbers for the events of one day. */
const A_DAY = 128;

/** A code of a log: the manufacturer's have a bit of their own. */
interface Code {
  readonly manufacturer: boolean;
  readonly number: number;
}
const codeText = ({ manufacturer, number }: Code): string => String(manufacturer ? 2048 + number : number);

/** Under which code a log records what happened; undefined: it does not. */
function codeOf(log: C1222Log, event: EventName): Code | undefined {
  const own = Object.entries(log.codes).find(([, name]) => name === event)?.[0];
  if (own !== undefined) return { manufacturer: own.startsWith("M"), number: Number(own.slice(1)) };
  const standard = Object.entries(STANDARD_EVENTS).find(([, name]) => name === event)?.[0];
  return standard === undefined ? undefined : { manufacturer: false, number: Number(standard) };
}

/** What somebody did to the meter: table 74. */
export interface Deed {
  readonly at: number;
  readonly userId: number;
  /** Number of the event: a table written, a procedure. */
  readonly event: number;
  /** The table or procedure. */
  readonly code: Code;
}

interface Entry {
  readonly at: number;
  readonly sequence: number;
  readonly code: Code;
  readonly argument: Uint8Array;
}

/** The logs of a meter: what happened to it by its event memory, and what was done to it. */
export class C1222Logs {
  readonly #state: MeterState;
  readonly #logs: readonly C1222Log[];
  #deeds: readonly Deed[] = [];
  #count = 0;

  constructor(state: MeterState, { c1222 }: C1222Profile) {
    this.#state = state;
    this.#logs = c1222.logs ?? [];
  }

  done(deed: Omit<Deed, "at">): void {
    this.#count += 1;
    this.#deeds = [...this.#deeds, { ...deed, at: Math.floor(this.#state.now() / 1000) * 1000 }].slice(-LOG_ENTRIES);
  }

  /** Entries of table 76, oldest first. Their numbers rise with time: day by day, and within one. */
  #events(): readonly Entry[] {
    const log = this.#logs.find(({ table }) => table === 76);
    if (log === undefined) return [];
    let day = 0;
    let ordinal = 0;
    return this.#state.events
      .all()
      .flatMap(({ at, event, variant }): Entry[] => {
        const code = codeOf(log, event);
        if (code === undefined) return [];
        const today = Math.floor(at / DAY_MS);
        ordinal = today === day ? ordinal + 1 : 0;
        day = today;
        const argument = new Uint8Array(EVENT_DATA_OCTETS);
        argument[0] = variant ?? 0;
        return [{ at, sequence: (day * A_DAY + ordinal) & 0xffff, code, argument }];
      })
      .slice(-LOG_ENTRIES);
  }

  #list(count: number, sequence: number): TableRecord {
    return {
      LIST_STATUS: { LIST_TYPE: true },
      NBR_VALID_ENTRIES: count,
      LAST_ENTRY_ELEMENT: Math.max(0, count - 1),
      LAST_ENTRY_SEQ_NBR: sequence,
      NBR_UNREAD_ENTRIES: count,
    };
  }

  /** Tables 72, 74 and 76. */
  get tables(): Readonly<Record<number, () => TableRecord>> {
    const noCode = { NBR: 0, STD_VS_MFG_FLAG: false, SELECTOR: 0 };
    return {
      72: () => {
        const log = this.#logs.find(({ table }) => table === 76);
        const codes = Object.keys(log?.codes ?? {});
        const own = codes.filter((code) => code.startsWith("M")).map((code) => Number(code.slice(1)));
        return {
          STD_EVENTS_SUPPORTED: Object.keys(STANDARD_EVENTS).map(Number),
          MFG_EVENTS_SUPPORTED: own.filter((code) => code < EVENT_SET_OCTETS.manufacturer * 8),
        };
      },
      74: () => ({
        ...this.#list(this.#deeds.length, this.#count),
        ENTRIES: Array.from({ length: LOG_ENTRIES }, (_, element) => {
          const deed = this.#deeds[element];
          return {
            HISTORY_TIME: deed?.at ?? 0,
            EVENT_NUMBER: deed?.event ?? 0,
            HISTORY_SEQ_NBR: deed === undefined ? 0 : (this.#count - this.#deeds.length + element + 1) & 0xffff,
            USER_ID: deed?.userId ?? 0,
            HISTORY_CODE:
              deed === undefined
                ? noCode
                : { ...noCode, NBR: deed.code.number, STD_VS_MFG_FLAG: deed.code.manufacturer },
            HISTORY_ARGUMENT: new Uint8Array(0),
          };
        }),
      }),
      76: () => {
        const entries = this.#events();
        return {
          ...this.#list(entries.length, entries.at(-1)?.sequence ?? 0),
          ENTRIES: Array.from({ length: LOG_ENTRIES }, (_, element) => {
            const entry = entries[element];
            return {
              EVENT_TIME: entry?.at ?? 0,
              EVENT_NUMBER: entry?.sequence ?? 0,
              EVENT_SEQ_NBR: entry?.sequence ?? 0,
              USER_ID: 0,
              EVENT_CODE:
                entry === undefined
                  ? noCode
                  : { ...noCode, NBR: entry.code.number, STD_VS_MFG_FLAG: entry.code.manufacturer },
              EVENT_ARGUMENT: entry?.argument ?? new Uint8Array(EVENT_DATA_OCTETS),
            };
          }),
        };
      },
    };
  }

  /** What table 76 holds of (from, to], as a headend that reads it has to tell it. */
  truth(from: number, to: number): readonly MeterEvent[] {
    const log = this.#logs.find(({ table }) => table === 76);
    if (log === undefined) return [];
    return this.#events()
      .filter(({ at }) => at > from && at <= to)
      .map(({ at, sequence, code, argument }) => {
        const name = `${code.manufacturer ? "M" : "S"}${code.number}`;
        const standard = code.manufacturer ? undefined : STANDARD_EVENTS[code.number];
        return {
          at,
          event: log.codes[name] ?? standard ?? "unknown",
          log: log.log,
          code: codeText(code),
          sequence,
          argument: toHex(argument),
        };
      });
  }
}
