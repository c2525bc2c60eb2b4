import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { OtherWay } from "../../shared/jobs/parts.ts";
import type { SegmentMembers, SetTarget, Targets } from "../../shared/jobs/targets.ts";
import type { Place } from "../../shared/metering/meter.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { countMeters, type MeterSearchPorts, membersByWalk } from "../../shared/queries/find-meters.ts";
import type { MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import { membersBySets } from "../../shared/queries/members-by-sets.ts";
import type { MissingRecords } from "../../shared/readings/missing-records.ts";
import { ALL, changedBitmap, countOf, type MemberSet } from "../../shared/registry/member-sets.ts";
import type { Registry, Segments } from "../../shared/registry/registry.ts";
import type { ItemKey } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { dynamoGroups } from "./dynamo-groups.ts";
import type { FleetSearch } from "./fleet-search.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * Segments and sets in the Registry table. `SEGMENTS` / `last`: the number of segments; `WAYIN#<way in>` /
 * `<segment, 8 digits>` {next}: the first slot that was never reserved; `MEMBERS#<kind>#<name>` / `<segment, 8 digits>`
 * {bitmap, version}; `WAYS` / `<segment, 8 digits>#<way in>` {bitmap, version}: meters that are not reached by their
 * segment's own way in. Keys and access patterns of these are in this file only.
 */
const digits = (segment: number): string => segment.toString().padStart(8, "0");
const wayInPartition = (wayIn: string): string => `WAYIN#${wayIn}`;
const WAYS = "WAYS";
const memberPartition = ({ kind, name }: MemberSet): string => `MEMBERS#${kind}#${name}`;
const memberKey = (set: MemberSet, segment: number): ItemKey => ({ pk: memberPartition(set), sk: digits(segment) });

const StoredSegment = z.object({ sk: z.string(), next: z.int() });
const StoredMembers = z.object({ sk: z.string(), bitmap: z.instanceof(Uint8Array), version: z.int() });

/** Newest segments of a way in that are looked at for room. */
const LOOK = 4;
const TRIES = 50;

const contended = (what: string): HeadraceError =>
  new HeadraceError("registry.contended", `expected ${what} to be writable in ${TRIES} tries`, { retry: "later" });

export function dynamoSegments(db: DynamoDBDocumentClient, TableName: string): Segments {
  const groups = dynamoGroups(db, TableName);
  /** Takes `count` slots at the end of a segment; false: somebody else took some. */
  const take = (wayIn: string, segment: number, next: number, count: number): Promise<boolean> =>
    heldCondition(
      db.send(
        new UpdateCommand({
          TableName,
          Key: { pk: wayInPartition(wayIn), sk: digits(segment) },
          UpdateExpression: "SET #next = :after",
          ConditionExpression: "#next = :next",
          ExpressionAttributeNames: { "#next": "next" },
          ExpressionAttributeValues: { ":next": next, ":after": next + count },
        }),
      ),
    );
  /** A new segment of this way in; a number that is drawn and then not used is a gap, which is harmless. */
  const open = async (wayIn: string): Promise<void> => {
    const { Attributes } = await db.send(
      new UpdateCommand({
        TableName,
        Key: { pk: "SEGMENTS", sk: "last" },
        UpdateExpression: "ADD #count :one",
        ExpressionAttributeNames: { "#count": "count" },
        ExpressionAttributeValues: { ":one": 1 },
        ReturnValues: "UPDATED_NEW",
      }),
    );
    const segment = z.object({ count: z.int() }).parse(Attributes).count - 1;
    const Item = { pk: wayInPartition(wayIn), sk: digits(segment), next: 0 };
    await db.send(new PutCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)" }));
  };
  const newest = async (wayIn: string): Promise<readonly { readonly segment: number; readonly next: number }[]> => {
    const { Items } = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": wayInPartition(wayIn) },
        ScanIndexForward: false,
        Limit: LOOK,
        ConsistentRead: true,
      }),
    );
    return (Items ?? []).map((item) => {
      const { sk, next } = StoredSegment.parse(item);
      return { segment: Number(sk), next };
    });
  };

  /** `first`: before the item comes to be. */
  const changeBitmap = async (
    Key: ItemKey,
    what: string,
    add: readonly number[],
    remove: readonly number[],
    first?: () => Promise<unknown>,
  ): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      const was = Item === undefined ? undefined : StoredMembers.parse(Item);
      const bitmap = changedBitmap(was?.bitmap, add, remove);
      if (was !== undefined && Buffer.compare(was.bitmap, bitmap) === 0) return;
      if (was === undefined) await first?.();
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...Key, bitmap, version: (was?.version ?? 0) + 1 },
            ConditionExpression: was === undefined ? "attribute_not_exists(pk)" : "#version = :was",
            ...(was === undefined
              ? {}
              : {
                  ExpressionAttributeNames: { "#version": "version" },
                  ExpressionAttributeValues: { ":was": was.version },
                }),
          }),
        ),
      );
      if (written) return;
    }
    throw contended(what);
  };

  return {
    async reserve(wayIn, count, fillTo) {
      const places: Place[] = [];
      for (let tries = 0; places.length < count; tries++) {
        if (tries === TRIES + count / 100) throw contended(`segments of ${wayIn}`);
        const room = (await newest(wayIn)).find(({ next }) => next < fillTo);
        if (room === undefined) {
          await open(wayIn);
          continue;
        }
        const size = Math.min(count - places.length, fillTo - room.next);
        if (!(await take(wayIn, room.segment, room.next, size))) continue;
        for (let at = 0; at < size; at++) places.push({ segment: room.segment, slot: room.next + at });
      }
      return places;
    },
    async changeMembers(set, segment, add, remove = []) {
      // A group that comes to be by its first member gets its name first: a name without members says little.
      const first = set.kind === "group" ? () => groups.create(set.name) : undefined;
      await changeBitmap(memberKey(set, segment), `members of ${set.kind} ${set.name}`, add, remove, first);
      // Even where nothing changed now: it may finish what was interrupted before it was noted.
      if (set.kind === "group") await groups.noteChange(set.name);
    },
    async noteWayIn(wayIn, { segment, slot }) {
      const own = { pk: wayInPartition(wayIn), sk: digits(segment) };
      const { Item } = await db.send(new GetCommand({ TableName, Key: own, ConsistentRead: true }));
      if (Item !== undefined) return;
      await changeBitmap({ pk: WAYS, sk: `${digits(segment)}#${wayIn}` }, `ways in of segment ${segment}`, [slot], []);
    },
    async *otherWays(): AsyncGenerator<OtherWay> {
      for await (const item of partitionItems(db, TableName, WAYS)) {
        const { sk, bitmap } = StoredMembers.parse(item);
        yield { segment: Number(sk.slice(0, 8)), wayIn: sk.slice(9), bitmap };
      }
    },
    async *members(set, from = 0): AsyncGenerator<SegmentMembers> {
      for await (const item of partitionItems(db, TableName, memberPartition(set), { from: digits(from) })) {
        const { sk, bitmap } = StoredMembers.parse(item);
        if (bitmap.some((octet) => octet !== 0)) yield { segment: Number(sk), bitmap };
      }
    },
  };
}

/** What planning reads of the registry. */
export const registryTargets = (
  registry: Pick<Registry, "meters">,
  search: MeterSearchPorts,
  segments: Pick<Segments, "members" | "otherWays">,
  missing: Pick<MissingRecords, "read">,
  fleet?: Pick<FleetSearch, "members">,
): Targets => ({
  async places(meterIds) {
    const meters = await registry.meters(meterIds);
    const enrolled = [...meters].filter(([, { state }]) => state === "enrolled");
    return new Map(enrolled.map(([meterId, { place }]) => [meterId, place]));
  },
  otherWays: () => segments.otherWays(),
  async count(filter, most) {
    const members = (await membersBySets(segments, filter)) ?? (await fleet?.members(filter));
    if (members !== undefined) return members.reduce((sum, { bitmap }) => sum + countOf(bitmap), 0);
    const { meters, complete } = await countMeters(search, filter, most);
    return complete || meters >= most ? meters : undefined;
  },
  members: (target) =>
    target.kind === "filter"
      ? filterMembers(search, segments, target.filter, fleet)
      : target.kind === "missing"
        ? missingMembers(segments, missing, Date.parse(`${target.day}T00:00:00Z`))
        : segments.members(setOf(target)),
});

/** Memberships alone are answered by the sets, one query each; other conditions ask a large fleet's files, or walk the directory. */
async function* filterMembers(
  search: MeterSearchPorts,
  segments: Pick<Segments, "members">,
  filter: MeterFilter,
  fleet: Pick<FleetSearch, "members"> | undefined,
): AsyncGenerator<SegmentMembers> {
  yield* (await membersBySets(segments, filter)) ??
    (await fleet?.members(filter)) ??
    (await membersByWalk(search, filter));
}

/** Of each segment, who has something left to read of the day. */
async function* missingMembers(
  segments: Pick<Segments, "members">,
  missing: Pick<MissingRecords, "read">,
  day: number,
): AsyncGenerator<SegmentMembers> {
  for await (const { segment, bitmap: enrolled } of segments.members(ALL)) {
    const toRead = (await missing.read(segment, day))?.counted?.toRead ?? [];
    const bitmap = new Uint8Array(enrolled.length);
    for (const slot of toRead)
      bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | ((enrolled[slot >> 3] ?? 0) & (1 << (slot & 7)));
    if (bitmap.some((octet) => octet !== 0)) yield { segment, bitmap };
  }
}

function setOf(target: Exclude<SetTarget, { readonly kind: "filter" | "missing" }>): MemberSet {
  switch (target.kind) {
    case "all":
      return ALL;
    case "group":
      return { kind: "group", name: target.group };
    case "feeder":
      return { kind: "feeder", name: target.feeder };
    case "transformer":
      return { kind: "transformer", name: target.transformer };
    case "collector":
      return { kind: "collector", name: target.collector };
  }
}
