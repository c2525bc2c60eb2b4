import { Readable } from "node:stream";
import type { z } from "zod";
import type { OutageInApi } from "../../shared/api/outages.ts";
import { metersBelow, type TreeNode } from "../../shared/outage/electrical-tree.ts";
import { endDeviceEventOf } from "../../shared/outage/end-device-event.ts";
import { OUTAGE_POLICY } from "../../shared/outage/evaluate-feeder.ts";
import type { Outage } from "../../shared/outage/outage.ts";
import { interruptionsOf } from "../../shared/outage/power-history.ts";
import { readNodes } from "../../shared/outage/read-nodes.ts";
import { lookAtFeeder } from "../../shared/outage/run-outages.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { noColumns, powerOf } from "../../shared/readings/fleet-columns.ts";
import { csvRecords } from "../adapters/csv-records.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { outageReaders } from "../adapters/outage-readers.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting, TIMELINE_TABLE: Setting });
const db = documentClient();
const ports = outageReaders();
const { outages, columns } = ports;
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const timeline = dynamoTimeline(db, env.TIMELINE_TABLE);

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HISTORY_DAYS = 31;
const EDGES_MAX = 2_000;
const ERRORS_SHOWN = 100;

const shown = ({ meterIds: _, gaspedIds: __, version: ___, ...outage }: Outage): z.output<typeof OutageInApi> => outage;
const absent = (field: string, expected: string, received: string) =>
  refuse("not-found", `There is no ${received}.`, { field, expected, received });

async function openOutages(feeder: string | undefined): Promise<Outage[]> {
  const feeders = (await outages.waiting()).filter((one) => feeder === undefined || one === feeder);
  const records = await Promise.all(feeders.map((one) => outages.record(one)));
  return records.flatMap(({ open }) => open).sort((left, right) => right.startedAt - left.startedAt);
}

interface NodeRow {
  readonly node: string;
  readonly kind: TreeNode["kind"];
  readonly parent?: string;
  readonly meters: number;
  readonly off: number;
}
const rowsOf = (tree: TreeNode, off: (node: TreeNode) => number, parent?: string): NodeRow[] => [
  {
    ...{ node: tree.name, kind: tree.kind, meters: metersBelow(tree).length, off: off(tree) },
    ...(parent === undefined ? {} : { parent }),
  },
  ...tree.children.flatMap((child) => rowsOf(child, off, tree.name)),
];

export const handler = httpHandler({
  async listOutages({ query: { state, feeder, from, to, limit } }) {
    const asOf = productClock.now();
    const found =
      state === "open"
        ? await openOutages(feeder)
        : await outages.within(from ?? (to ?? asOf) - DAY_MS, to ?? asOf, limit);
    const wanted = found.filter((outage) => feeder === undefined || outage.feeder === feeder);
    return { status: 200, body: { asOf, outages: wanted.slice(0, limit).map(shown) } };
  },
  async readOutage({ params: { outageId } }) {
    const outage = await outages.outage(outageId);
    if (outage === undefined) return absent("outageId", "the id of an outage", outageId);
    const known = await registry.meters(outage.meterIds);
    const segments = [...new Set([...known.values()].map(({ place }) => place.segment))];
    const facts = await columns.readMany(segments);
    const gasped = new Set(outage.gaspedIds);
    const meters = outage.meterIds.flatMap((meterId) => {
      const place = known.get(meterId)?.place;
      if (place === undefined) return [];
      const { state, at } = powerOf(facts.get(place.segment) ?? noColumns(), place.slot);
      return [{ meterId, gasped: gasped.has(meterId), power: state, ...(at === undefined ? {} : { powerAt: at }) }];
    });
    return { status: 200, body: { ...shown(outage), meters } };
  },
  async listOutageEvents({ query: { since = "", limit } }) {
    const told = await outages.events(since, limit, productClock.now() + MINUTE_MS);
    const next = told.at(-1)?.cursor ?? since;
    return {
      status: 200,
      body: {
        EndDeviceEvents: told.map(({ outage, eventId }) => endDeviceEventOf(outage, eventId)),
        ...(next === "" ? {} : { next }),
      },
    };
  },
  async putElectricalNodes({ body: { csv } }) {
    const rows: { readonly row: number; readonly cells: readonly string[] }[] = [];
    try {
      for await (const record of csvRecords(Readable.from([Buffer.from(csv)]))) rows.push(record);
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error;
      return refuse("invalid-request", "The file cannot be read.", { field: "csv", expected: error.message });
    }
    const { nodes, problems } = readNodes(rows);
    await outages.putNodes(nodes);
    return {
      status: 200,
      body: { stored: nodes.length, errors: problems.slice(0, ERRORS_SHOWN), rejected: problems.length },
    };
  },
  async readFeederTree({ params: { feeder } }) {
    const { tree, supply } = await lookAtFeeder(ports, feeder);
    const off = (node: TreeNode): number =>
      metersBelow(node).filter(({ meterId }) => supply(meterId).offAt !== undefined).length;
    if (tree.children.length + tree.meters.length === 0) return absent("feeder", "a feeder with meters", feeder);
    return { status: 200, body: { feeder, nodes: rowsOf(tree, off) } };
  },
  async deleteElectricalNode({ params: { feeder, node } }) {
    return (await outages.dropNode(feeder, node)) ? { status: 204 } : absent("node", "a node of the feeder", node);
  },
  async readMeterPower({ params: { meterId } }) {
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter === undefined) return absent("meterId", "the id of an enrolled meter", meterId);
    const asOf = productClock.now();
    const { segment, slot } = meter.place;
    const [facts, entries] = await Promise.all([
      columns.readMany([segment]),
      timeline.of(meterId, asOf - HISTORY_DAYS * DAY_MS, asOf, EDGES_MAX),
    ]);
    const { state, at, by } = powerOf(facts.get(segment) ?? noColumns(), slot);
    const interruptions = interruptionsOf(entries, OUTAGE_POLICY.holdMs);
    const momentaries = interruptions.filter(({ momentary }) => momentary).length;
    return {
      status: 200,
      body: {
        ...{ meterId, asOf, power: state, interruptions: [...interruptions], momentaries },
        sustained: interruptions.length - momentaries,
        ...(at === undefined ? {} : { at }),
        ...(by === undefined ? {} : { by }),
      },
    };
  },
});
