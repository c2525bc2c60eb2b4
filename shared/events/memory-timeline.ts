import { type Alarm, type Alarms, hourOf } from "./alarm.ts";
import type { Timeline, TimelineItem } from "./timeline.ts";

/** Timelines in memory: for simulation and for tests. */
export function memoryTimeline(): Timeline {
  const items = new Map<string, TimelineItem>();
  return {
    async add(added) {
      for (const item of added) items.set(`${item.meterId}#${item.entry.at}#${item.entry.kind}#${item.id}`, item);
    },
    async of(meterId, from, to, limit) {
      const found = [...items.values()]
        .filter((item) => item.meterId === meterId && item.entry.at > from && item.entry.at <= to)
        .map(({ entry }) => entry)
        .sort((left, right) => right.at - left.at);
      const last = found[limit - 1]?.at ?? Number.NEGATIVE_INFINITY;
      return found.filter(({ at }) => at >= last);
    },
  };
}

/** Alarms in memory. */
export function memoryAlarms(): Alarms {
  const alarms = new Map<string, Alarm>();
  return {
    async raise(raised) {
      for (const alarm of raised) {
        const key = `${alarm.meterId}#${alarm.event}#${hourOf(alarm.receivedAt)}`;
        if (!alarms.has(key)) alarms.set(key, alarm);
      }
    },
    async *within(from, to) {
      for (const alarm of alarms.values()) if (alarm.receivedAt > from && alarm.receivedAt <= to) yield alarm;
    },
  };
}
