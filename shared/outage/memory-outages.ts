import type { ElectricalNode } from "./electrical-tree.ts";
import { type FeederRecord, noRecord, type Outage, type OutageState } from "./outage.ts";
import {
  cursorOf,
  type ElectricalNodes,
  eventIdOf,
  isTold,
  type OutageEvent,
  type OutageStore,
  tellsAgain,
} from "./outage-store.ts";

/** Outages in memory, with the same conditions as the real ones: for simulation and for tests. */
export function memoryOutages(): OutageStore & ElectricalNodes {
  const news = new Map<number, { readonly slots: ReadonlySet<number>; readonly version: number }>();
  const records = new Map<string, string>();
  const waiting = new Set<string>();
  const outages = new Map<string, { readonly outage: Outage; readonly told: readonly OutageState[] }>();
  const feed: OutageEvent[] = [];
  const nodes = new Map<string, ElectricalNode>();
  let versions = 0;
  return {
    async noteNews(segment, slots) {
      news.set(segment, { slots: new Set([...(news.get(segment)?.slots ?? []), ...slots]), version: ++versions });
    },
    async news() {
      return [...news].map(([segment, { slots, version }]) => ({ segment, slots: [...slots], version }));
    },
    async dropNews({ segment, version }) {
      if (news.get(segment)?.version === version) news.delete(segment);
    },
    async record(feeder) {
      const text = records.get(feeder);
      return text === undefined ? noRecord(feeder) : (JSON.parse(text) as FeederRecord);
    },
    async writeRecord(record) {
      const { version } = await this.record(record.feeder);
      if (version !== record.version) return "conflict";
      records.set(record.feeder, JSON.stringify({ ...record, version: version + 1 }));
      return "written";
    },
    waiting: async () => [...waiting].sort(),
    async setWaiting(feeder, waits) {
      if (waits) waiting.add(feeder);
      else waiting.delete(feeder);
    },
    async publish(outage, at) {
      const there = outages.get(outage.outageId);
      const told = there?.told ?? [];
      const tells = isTold(outage.state, told);
      const eventId = eventIdOf(outage);
      if (tells) feed.push({ cursor: cursorOf(at, eventId), eventId, state: outage.state, outage });
      const again = tellsAgain(outage, there && { version: there.outage.version, told });
      const newest = there !== undefined && there.outage.version >= outage.version ? there.outage : outage;
      outages.set(outage.outageId, { outage: newest, told: tells ? [...told, outage.state] : told });
      return again;
    },
    outage: async (outageId) => outages.get(outageId)?.outage,
    within: async (from, to, limit) =>
      [...outages.values()]
        .map(({ outage }) => outage)
        .filter(({ startedAt }) => startedAt >= from && startedAt <= to)
        .sort((left, right) => right.startedAt - left.startedAt)
        .slice(0, limit),
    events: async (after, limit) =>
      feed
        .filter(({ cursor }) => cursor > after)
        .sort((left, right) => (left.cursor < right.cursor ? -1 : 1))
        .slice(0, limit),
    nodesOf: async (feeder) => [...nodes.values()].filter((node) => node.feeder === feeder),
    async putNodes(rows) {
      for (const row of rows) nodes.set(`${row.feeder}#${row.node}`, row);
    },
    dropNode: async (feeder, node) => nodes.delete(`${feeder}#${node}`),
  };
}
