import { groupsOf } from "../../shared/events/alarm.ts";
import { type ReadEntry, readTimeline } from "../../shared/events/read-timeline.ts";
import { TIMELINE_KINDS, type TimelineEntry } from "../../shared/events/timeline.ts";
import { EVENT_NAMES, EVENTS } from "../../shared/metering/event-catalogue.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoAlarms, dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting, READINGS_TABLE: Setting, TIMELINE_TABLE: Setting });
const db = documentClient();
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const ports = { blocks: dynamoDayBlocks(db, env.READINGS_TABLE), timeline: dynamoTimeline(db, env.TIMELINE_TABLE) };
const alarms = dynamoAlarms(db, env.TIMELINE_TABLE);
const DAY_MS = 86_400_000;

const rangeOf = (query: { readonly from?: number | undefined; readonly to?: number | undefined }, days: number) => {
  const asOf = productClock.now();
  const to = query.to ?? (query.from === undefined ? asOf : Math.max(asOf, query.from + 1));
  return { asOf, from: query.from ?? to - days * DAY_MS, to };
};

const tooLong = (from: number, days: number) =>
  refuse("invalid-request", "The range is too long.", {
    field: "from",
    expected: `an instant at most ${days} days before to`,
    received: new Date(from).toISOString(),
  });

const shown = (entry: TimelineEntry | ReadEntry) => {
  if (entry.kind !== "event") return entry;
  const { class: eventClass, severity, cim } = EVENTS[entry.event];
  return { ...entry, class: eventClass, severity, eventType: cim };
};

export const handler = httpHandler({
  async readTimeline({ params: { meterId }, query }) {
    const { asOf, from, to } = rangeOf(query, 7);
    if (to - from > 62 * DAY_MS) return tooLong(from, 62);
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter === undefined) {
      const expected = "the id of an enrolled meter";
      return refuse("not-found", `There is no meter ${meterId}.`, { field: "meterId", expected, received: meterId });
    }
    if (meter.state === "enrolling") return { status: 200, body: { meterId, asOf, entries: [] } };
    const kinds = new Set(query.kinds ?? ["read" as const, ...TIMELINE_KINDS]);
    const { entries, next } = await readTimeline(
      ports,
      { meterId, place: meter.place },
      { from, to },
      kinds,
      query.limit,
    );
    return {
      status: 200,
      body: { meterId, asOf, entries: entries.map(shown), ...(next === undefined ? {} : { next }) },
    };
  },
  async listAlarms({ query }) {
    const { asOf, from, to } = rangeOf(query, 1);
    if (to - from > 31 * DAY_MS) return tooLong(from, 31);
    const groups = (await groupsOf(alarms.within(from, to))).filter(
      ({ event }) => query.event === undefined || event === query.event,
    );
    return {
      status: 200,
      body: {
        asOf,
        alarms: groups.map(({ meterIds, ...group }) => {
          const { class: eventClass, cim } = EVENTS[group.event];
          return { ...group, class: eventClass, eventType: cim, meterIds: [...meterIds] };
        }),
      },
    };
  },
  listEvents: async () => ({
    status: 200,
    body: {
      events: EVENT_NAMES.map((event) => {
        const { class: eventClass, severity, cim } = EVENTS[event];
        return { event, class: eventClass, severity, eventType: cim };
      }),
    },
  }),
});
