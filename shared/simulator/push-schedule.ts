import type { SelectiveAccessDescriptor } from "../dlms/cosem-attribute-descriptor.ts";
import { type CosemDate, type CosemTime, type DateTime, DateTimeCodec } from "../dlms/date-time.ts";
import type { CaptureObject } from "../dlms/objects/profile-generic.ts";
import { byEntry } from "../dlms/selective-access.ts";
import { type CosemObjects, getAttribute } from "../dlms/server/cosem-object.ts";
import type { Notification } from "../dlms/server/push.ts";
import type { DlmsPush } from "../metering/dlms-equipment.ts";
import { encode } from "../wire/codec.ts";
import { meterTime } from "./cosem-data.ts";
import { instantOfWall, type WallTime, wallTime, type Zone } from "./zone.ts";

const ENTRIES_IN_USE = 7;
const CAPTURE_PERIOD = 4;
const MINUTE_MS = 60_000;
/** Minutes that were slept through are looked at so far back. */
const LOOK_BACK_MAX = 1_440;

/** A moment of a Single action schedule: every part that it names has to be so. */
export interface Execution {
  readonly time: CosemTime;
  readonly date: CosemDate;
}
/** A communication window, by the meter's local time; each end named in full. */
export interface PushWindow {
  readonly startTime: DateTime;
  readonly endTime: DateTime;
}

/** What a client may set of a push; as JSON kept over a power cut. */
export interface PushSettings {
  readonly objects: readonly CaptureObject[];
  readonly transport: number;
  /** Hex. */
  readonly destination: string;
  readonly windows: readonly PushWindow[];
  readonly executions: readonly Execution[];
}

const TCP = 0;

const matches = ({ time, date }: Execution, wall: WallTime): boolean =>
  (
    [
      [time.hour, wall.hour],
      [time.minute, wall.minute],
      [date.year, wall.year],
      [date.month, wall.month],
      [date.dayOfMonth, wall.day],
      [date.dayOfWeek, wall.dayOfWeek],
    ] as const
  ).every(([wanted, is]) => wanted === undefined || wanted === is);

/** As the model comes: at whole periods from midnight. */
function executionsOf({ period, setting }: DlmsPush): readonly Execution[] {
  if (period === undefined || setting?.schedule === undefined) return [];
  const date = { year: undefined, month: undefined, dayOfMonth: undefined, dayOfWeek: undefined };
  const moments: Execution[] = [];
  for (let second = 0; second < 86_400; second += period) {
    if (period <= 3_600 && second >= 3_600) break;
    const hour = period <= 3_600 ? undefined : Math.floor(second / 3_600);
    moments.push({ time: { hour, minute: Math.floor((second % 3_600) / 60), second: 0, hundredths: 0 }, date });
  }
  return moments;
}

/**
 * What one Push setup sends, and when: by its Single action schedule in the meter's local time where it has one, else at
 * whole multiples of its period; and when it is told to. Outside of its windows it sends nothing.
 */
export class PushSchedule {
  readonly push: DlmsPush;
  readonly #now: () => number;
  readonly #zone: Zone;
  readonly #changed: () => void;
  #settings: PushSettings;
  #touched: boolean;
  #looked: number;
  /** When it last sent: a buffer's entries since then go with the next push. */
  #sent: number;
  #asked = false;
  #invoke = 0;

  constructor(
    push: DlmsPush,
    now: () => number,
    zone: Zone,
    kept?: PushSettings,
    changed: () => void = () => undefined,
  ) {
    this.push = push;
    this.#now = now;
    this.#zone = zone;
    this.#changed = changed;
    this.#looked = now();
    this.#sent = now();
    this.#touched = kept !== undefined;
    this.#settings = kept ?? {
      objects: push.objects.map(({ classId, obis, attribute }) => ({
        classId,
        logicalName: obis,
        attributeIndex: attribute,
        dataIndex: 0,
      })),
      transport: TCP,
      destination: "",
      windows: [],
      executions: executionsOf(push),
    };
  }

  get settings(): PushSettings {
    return this.#settings;
  }
  set(part: Partial<PushSettings>): void {
    this.#settings = { ...this.#settings, ...part };
    this.#touched = true;
    this.#changed();
  }
  /** Undefined: as the model comes. */
  get kept(): PushSettings | undefined {
    return this.#touched ? this.#settings : undefined;
  }

  /** Method 1 of the Push setup. */
  ask(): void {
    this.#asked = true;
  }

  /** Whether a window is open, or none is set. */
  get open(): boolean {
    const { windows } = this.#settings;
    const now = this.#now();
    const instant = ({
      year = 0,
      month = 1,
      dayOfMonth: day = 1,
      hour = 0,
      minute = 0,
      second = 0,
    }: DateTime): number => instantOfWall(this.#zone, { year, month, day, hour, minute, second });
    return windows.length === 0 || windows.some((one) => instant(one.startTime) <= now && now < instant(one.endTime));
  }

  #due(): boolean {
    const now = this.#now();
    const { period, setting } = this.push;
    const before = this.#looked;
    this.#looked = now;
    if (setting?.schedule === undefined) {
      if (period === undefined) return false;
      return Math.floor(now / (period * 1000)) > Math.floor(before / (period * 1000));
    }
    const { executions } = this.#settings;
    const first = Math.floor(before / MINUTE_MS) + 1;
    const last = Math.floor(now / MINUTE_MS);
    for (let minute = Math.max(first, last - LOOK_BACK_MAX); minute <= last; minute++) {
      const wall = wallTime(this.#zone, minute * MINUTE_MS);
      if (executions.some((execution) => matches(execution, wall))) return true;
    }
    return false;
  }

  /** Whether there is something to send since it was last asked; what was slept through is one push, not several. */
  take(): boolean {
    const due = this.#due() || this.#asked;
    this.#asked = false;
    return due;
  }

  /**
   * The newest entries of the buffer alone, where its model pushes no more: as many as the model pushes, and those that were
   * captured since the last push; all of any other attribute.
   */
  #selection(objects: CosemObjects, { classId, logicalName }: CaptureObject): SelectiveAccessDescriptor | undefined {
    const { entries } = this.push.objects.find(({ obis }) => obis === logicalName) ?? {};
    if (entries === undefined) return undefined;
    const numberIn = (attributeId: number): number => {
      const shown = getAttribute(objects, { classId, instanceId: logicalName, attributeId }, undefined);
      return shown.kind === "data" && shown.data.type === "double-long-unsigned" ? shown.data.value : 0;
    };
    const last = numberIn(ENTRIES_IN_USE);
    const capturedMs = numberIn(CAPTURE_PERIOD) * 1000;
    const since = capturedMs === 0 ? 0 : Math.ceil((this.#now() - this.#sent) / capturedMs);
    return byEntry({
      fromEntry: Math.max(1, last - Math.max(entries, since + 1) + 1),
      toEntry: last,
      fromSelectedValue: 1,
      toSelectedValue: 0,
    });
  }

  /** The values of its objects now; null-data for what the client may not see. */
  message(objects: CosemObjects, zone: Zone): Notification {
    this.#invoke = (this.#invoke % 0xff_ffff) + 1;
    const value = this.#settings.objects.map((object) => {
      const { classId, logicalName, attributeIndex } = object;
      const selection = attributeIndex === 2 ? this.#selection(objects, object) : undefined;
      const found = getAttribute(objects, { classId, instanceId: logicalName, attributeId: attributeIndex }, selection);
      return found.kind === "data" ? found.data : ({ type: "null-data", value: null } as const);
    });
    this.#sent = this.#now();
    return {
      name: "DataNotification",
      value: {
        longInvokeIdAndPriority: this.#invoke,
        dateTime: encode(DateTimeCodec, meterTime(zone, this.#now())),
        taggedDateTime: false,
        notificationBody: { type: "structure", value },
      },
    };
  }
}

/** What clients have set of these pushes, by logical name; empty where nobody has. */
export function keptPushes(pushes: readonly PushSchedule[]): { pushes?: Readonly<Record<string, PushSettings>> } {
  const set = pushes.flatMap(({ push, kept }) => (kept === undefined ? [] : [[push.obis, kept] as const]));
  return set.length === 0 ? {} : { pushes: Object.fromEntries(set) };
}
