import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { DrEvent, Wave } from "../../shared/demand/dr-event.ts";
import { Participation } from "../../shared/demand/participation.ts";
import { DrProgram, Enrolment } from "../../shared/demand/program.ts";
import type { DemandStore } from "../../shared/demand/store.ts";
import { piecesOf } from "../../shared/jobs/concurrency.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * Demand response in the Ledger table. `DEMAND-PROGRAMS` / `<programId>`; `DEMAND-PROGRAM#<programId>` / `<meterId>`: its
 * enrolments; `DEMAND-EVENTS` / `<eventId>`; `DEMAND-OPEN` / `<eventId>`: those with something to be done; and of an event
 * `DEMAND-EVENT#<eventId>` / `R#<page>` its roster, `W#<number>` its waves, `O#<meterId>` who left, `P#<first meterId>` who
 * took part how.
 */
const PROGRAMS = "DEMAND-PROGRAMS";
const EVENTS = "DEMAND-EVENTS";
const OPEN = "DEMAND-OPEN";
const membersOf = (programId: string) => `DEMAND-PROGRAM#${programId}`;
const ofEvent = (eventId: string) => `DEMAND-EVENT#${eventId}`;
const digits = (number: number): string => String(number).padStart(6, "0");
const ROSTER_PAGE = 1000;

export function dynamoDemand(db: DynamoDBDocumentClient, TableName: string): DemandStore {
  const put = (pk: string, sk: string, x: unknown, more: object = {}) =>
    db.send(new PutCommand({ TableName, Item: { pk, sk, x, ...more } }));
  const create = (pk: string, sk: string, x: unknown, more: object = {}) =>
    heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { pk, sk, x, ...more },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    );
  const read = async <T>(pk: string, sk: string, parse: (x: unknown) => T): Promise<T | undefined> => {
    const { Item } = await db.send(new GetCommand({ TableName, Key: { pk, sk }, ConsistentRead: true }));
    return Item === undefined ? undefined : parse(Item.x);
  };
  const list = async <T>(pk: string, begins: string, parse: (x: unknown, sk: string) => T): Promise<readonly T[]> => {
    const found: T[] = [];
    for await (const { x, sk } of partitionItems(db, TableName, pk, begins === "" ? {} : { begins }))
      found.push(parse(x, String(sk)));
    return found;
  };
  const remove = (pk: string, sk: string) => db.send(new DeleteCommand({ TableName, Key: { pk, sk } }));
  const readEvent = (eventId: string) => read(EVENTS, eventId, (x) => DrEvent.parse(x));

  return {
    createProgram: (program) => create(PROGRAMS, program.programId, program),
    putProgram: async (program) => void (await put(PROGRAMS, program.programId, program)),
    program: (programId) => read(PROGRAMS, programId, (x) => DrProgram.parse(x)),
    programs: () => list(PROGRAMS, "", (x) => DrProgram.parse(x)),
    removeProgram: async (programId) => void (await remove(PROGRAMS, programId)),
    putEnrolment: async (enrolment) => void (await put(membersOf(enrolment.programId), enrolment.meterId, enrolment)),
    enrolment: (programId, meterId) => read(membersOf(programId), meterId, (x) => Enrolment.parse(x)),
    enrolments: (programId) => list(membersOf(programId), "", (x) => Enrolment.parse(x)),
    async createEvent(event) {
      await put(OPEN, event.eventId, true); // one without an event is passed over
      return create(EVENTS, event.eventId, event, { v: event.version });
    },
    async writeEvent(was, change) {
      const next: DrEvent = { ...was, ...change, version: was.version + 1 };
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { pk: EVENTS, sk: was.eventId, x: next, v: next.version },
            ConditionExpression: "v = :was",
            ExpressionAttributeValues: { ":was": was.version },
          }),
        ),
      );
      return written ? next : undefined;
    },
    event: readEvent,
    async events(limit) {
      const { Items } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": EVENTS },
          ScanIndexForward: false,
          Limit: limit,
          ConsistentRead: true,
        }),
      );
      return (Items ?? []).map(({ x }) => DrEvent.parse(x));
    },
    async openEvents() {
      const found: DrEvent[] = [];
      for (const eventId of await list(OPEN, "", (_, sk) => sk)) {
        const event = await readEvent(eventId);
        if (event !== undefined) found.push(event);
      }
      return found;
    },
    closeEvent: async (eventId) => void (await remove(OPEN, eventId)),
    async putRoster(eventId, meterIds) {
      for (const [page, part] of [...piecesOf(meterIds, ROSTER_PAGE)].entries())
        await put(ofEvent(eventId), `R#${digits(page)}`, part);
    },
    roster: async (eventId) => (await list(ofEvent(eventId), "R#", (x) => z.array(MeterId).parse(x))).flat(),
    createWave: (wave) => create(ofEvent(wave.eventId), `W#${digits(wave.number)}`, wave),
    putWave: async (wave) => void (await put(ofEvent(wave.eventId), `W#${digits(wave.number)}`, wave)),
    waves: (eventId) => list(ofEvent(eventId), "W#", (x) => Wave.parse(x)),
    putOptOut: async (eventId, meterId, at) => void (await create(ofEvent(eventId), `O#${meterId}`, at)),
    optOuts: async (eventId) =>
      new Map(await list(ofEvent(eventId), "O#", (x, sk) => [MeterId.parse(sk.slice(2)), z.int().parse(x)] as const)),
    async putParticipation(eventId, entries) {
      const [first] = entries;
      if (first !== undefined) await put(ofEvent(eventId), `P#${first.meterId}`, entries);
    },
    participation: async (eventId) =>
      (await list(ofEvent(eventId), "P#", (x) => z.array(Participation).parse(x))).flat(),
  };
}
