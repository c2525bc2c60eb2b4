import { readingsView } from "../../shared/api/reading-view.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";
import { readServicePoint } from "../../shared/readings/read-service-point.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting, READINGS_TABLE: Setting });
const db = documentClient();
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const blocks = dynamoDayBlocks(db, env.READINGS_TABLE);
const DAY_MS = 86_400_000;
const DAYS_MAX = 62;

/** The range that a query asks for, or why it is refused. */
function rangeOf(query: { readonly from?: number | undefined; readonly to?: number | undefined }) {
  const asOf = productClock.now();
  const to = query.to ?? (query.from === undefined ? asOf : Math.max(asOf, query.from + 1));
  const from = query.from ?? to - DAY_MS;
  if (to - from <= DAYS_MAX * DAY_MS) return { asOf, from, to };
  return refuse("invalid-request", "The range is too long.", {
    field: "from",
    expected: `an instant at most ${DAYS_MAX} days before to`,
    received: new Date(from).toISOString(),
  });
}

export const handler = httpHandler({
  async readReadings({ params: { meterId }, query }) {
    const range = rangeOf(query);
    if ("refused" in range) return range;
    const { asOf, from, to } = range;
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter === undefined) {
      const expected = "the id of an enrolled meter";
      return refuse("not-found", `There is no meter ${meterId}.`, { field: "meterId", expected, received: meterId });
    }
    if (meter.state === "enrolling")
      return { status: 200, body: { meterId, asOf, registers: [], snapshots: [], intervals: [] } };
    return { status: 200, body: readingsView(meterId, asOf, await readReadings({ blocks }, meter.place, from, to)) };
  },
  async readServicePoint({ params: { servicePoint }, query }) {
    const range = rangeOf(query);
    if ("refused" in range) return range;
    const { asOf, from, to } = range;
    const meters = await readServicePoint({ registry, blocks }, servicePoint, from, to);
    if (meters === undefined) {
      const expected = "a service point at which a meter is enrolled";
      return refuse("not-found", `There is no service point ${servicePoint}.`, {
        field: "servicePoint",
        expected,
        received: servicePoint,
      });
    }
    const shown = meters.map(({ meter, from: installedAt, until: retiredAt, readings }) => {
      const { asOf: _asOf, ...view } = readingsView(meter.meter.meterId, asOf, readings);
      return {
        ...view,
        ...(installedAt === undefined ? {} : { installedAt }),
        ...(retiredAt === undefined ? {} : { retiredAt }),
      };
    });
    return { status: 200, body: { servicePoint, asOf, meters: shown } };
  },
});
