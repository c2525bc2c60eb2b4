import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { DlmsAlarm } from "../metering/dlms-equipment.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import { doubleLongUnsigned } from "./cosem-data.ts";
import type { EventMemory } from "./event-memory.ts";

/** What raises the bit of an alarm that is named otherwise than what the meter logs. */
const RAISED_BY: Readonly<Partial<Record<EventName, readonly EventName[]>>> = {
  "power.last-gasp": ["power.failed"],
  "power.restored-notice": ["power.restored"],
  "tamper.suspected": ["tamper.cover-opened", "tamper.terminal-cover-opened", "tamper.magnetic-started"],
};

/** The alarm descriptors of a meter: a bit is raised when what it stands for happens, and stays until it was told. */
export class AlarmDescriptors {
  readonly #alarms: readonly DlmsAlarm[];
  readonly #events: Pick<EventMemory, "since">;
  readonly #now: () => number;
  readonly #raised = new Map<string, number>();
  #seen: number;

  /** `now`: by the meter's clock. What happened before is not told. */
  constructor(alarms: readonly DlmsAlarm[], events: Pick<EventMemory, "since">, now: () => number) {
    this.#alarms = alarms;
    this.#events = events;
    this.#now = now;
    this.#seen = now();
  }

  /** Looks at what has happened; whether a bit is raised. */
  look(): boolean {
    const now = this.#now();
    if (this.#alarms.length > 0) for (const { event } of this.#events.since(this.#seen)) this.#raise(event);
    this.#seen = Math.max(now, this.#seen);
    return this.#raised.size > 0;
  }

  #raise(event: EventName): void {
    for (const { obis, bits } of this.#alarms)
      for (const [bit, name] of Object.entries(bits))
        if (name === event || RAISED_BY[name]?.includes(event) === true) {
          this.#raised.set(obis, ((this.#raised.get(obis) ?? 0) | (1 << Number(bit))) >>> 0);
          return;
        }
  }

  /** A push has told them. */
  told(): void {
    this.#raised.clear();
  }

  /** Data objects that show the bits; a client may clear them by writing. */
  objects(): readonly CosemObject[] {
    return this.#alarms.map(({ obis }) => ({
      classId: 1,
      version: 0,
      logicalName: obis,
      attributes: {
        2: {
          get: () => dataResult(doubleLongUnsigned(this.#raised.get(obis) ?? 0)),
          set: (value) => {
            if (value.type !== "double-long-unsigned") return DATA_ACCESS_RESULT["type-unmatched"];
            if (value.value === 0) this.#raised.delete(obis);
            else this.#raised.set(obis, value.value);
            return DATA_ACCESS_RESULT.success;
          },
        },
      },
    }));
  }
}
