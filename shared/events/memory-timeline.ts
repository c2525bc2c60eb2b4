import { type Alarm, type Alarms, hourOf, isSameAlarm } from "./alarm.ts";
import { isSameTry, type Timeline, type TimelineItem } from "./timeline.ts";

/** Timelines in memory: for simulation and for tests. */
export function memoryTimeline(): Timeline {
  const items = new Map<string, TimelineItem>();
  return {
    async add(added) {
      return added.filter((item) => {
        const key = `${item.meterId}#${item.entry.at}#${item.entry.kind}#${item.id}`;
        const there = items.get(key);
        if (there === undefined) items.set(key, item);
        return there === undefined || isSameTry(there.entry, item.entry);
      });
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
      return raised.filter((alarm) => {
        const key = `${alarm.meterId}#${alarm.event}#${hourOf(alarm.receivedAt)}`;
        const there = alarms.get(key);
        if (there === undefined) alarms.set(key, alarm);
        return there === undefined || isSameAlarm(there, alarm);
      });
    },
    async *within(from, to) {
      for (const alarm of alarms.values()) if (alarm.receivedAt > from && alarm.receivedAt <= to) yield alarm;
    },
  };
}
