import type { SelectiveAccessDescriptor } from "../dlms/cosem-attribute-descriptor.ts";
import { DateTimeCodec } from "../dlms/date-time.ts";
import type { CaptureObject } from "../dlms/objects/profile-generic.ts";
import { byEntry } from "../dlms/selective-access.ts";
import { type CosemObjects, getAttribute } from "../dlms/server/cosem-object.ts";
import type { Notification } from "../dlms/server/push.ts";
import type { DlmsPush } from "../metering/dlms-equipment.ts";
import { encode } from "../wire/codec.ts";
import { meterTime } from "./cosem-data.ts";
import type { Zone } from "./zone.ts";

const ENTRIES_IN_USE = 7;

/** What one Push setup sends, and when: at whole multiples of its period by the meter's clock, or when it is told to. */
export class PushSchedule {
  readonly push: DlmsPush;
  readonly #now: () => number;
  #slot: number;
  #asked = false;
  #invoke = 0;
  objects: readonly CaptureObject[];
  destination = new Uint8Array(0);

  constructor(push: DlmsPush, now: () => number) {
    this.push = push;
    this.#now = now;
    this.#slot = this.#slotOf();
    this.objects = push.objects.map(({ classId, obis, attribute }) => ({
      classId,
      logicalName: obis,
      attributeIndex: attribute,
      dataIndex: 0,
    }));
  }

  #slotOf(): number {
    return this.push.period === undefined ? 0 : Math.floor(this.#now() / (this.push.period * 1000));
  }

  /** Method 1 of the Push setup. */
  ask(): void {
    this.#asked = true;
  }

  /** Whether there is something to send since it was last asked; a period that was slept through is not made up for. */
  take(): boolean {
    const slot = this.#slotOf();
    const due = this.#asked || slot > this.#slot;
    this.#asked = false;
    this.#slot = slot;
    return due;
  }

  /** The newest entries of the buffer alone, where its model pushes no more; all of any other attribute. */
  #selection(objects: CosemObjects, { classId, logicalName }: CaptureObject): SelectiveAccessDescriptor | undefined {
    const { entries } = this.push.objects.find(({ obis }) => obis === logicalName) ?? {};
    if (entries === undefined) return undefined;
    const inUse = getAttribute(objects, { classId, instanceId: logicalName, attributeId: ENTRIES_IN_USE }, undefined);
    const last = inUse.kind === "data" && inUse.data.type === "double-long-unsigned" ? inUse.data.value : 0;
    return byEntry({
      fromEntry: Math.max(1, last - entries + 1),
      toEntry: last,
      fromSelectedValue: 1,
      toSelectedValue: 0,
    });
  }

  /** The values of its objects now; null-data for what the client may not see. */
  message(objects: CosemObjects, zone: Zone): Notification {
    this.#invoke = (this.#invoke % 0xff_ffff) + 1;
    const value = this.objects.map((object) => {
      const { classId, logicalName, attributeIndex } = object;
      const selection = attributeIndex === 2 ? this.#selection(objects, object) : undefined;
      const found = getAttribute(objects, { classId, instanceId: logicalName, attributeId: attributeIndex }, selection);
      return found.kind === "data" ? found.data : ({ type: "null-data", value: null } as const);
    });
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
