import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import type { Reservation } from "../../shared/switching/guard.ts";
import type { GuardStore } from "../../shared/switching/guard-desk.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** Guards, in the Access table: `GUARD#<name>` / `guard`. Key and access pattern are in this file only. */
const PREFIX = "GUARD#";
const keyOf = (name: string) => ({ pk: `${PREFIX}${name}`, sk: "guard" });
const Stored = z.object({ version: z.int().min(1), reservations: z.instanceof(Uint8Array) });

const TASK_OCTETS = 8;
const WATTS_AT = TASK_OCTETS + 6;
const ENTRY_OCTETS = WATTS_AT + 4;

/** Task (8 octets), instant (6) and watts (4, both big-endian) of each. */
function packed(reservations: readonly Reservation[]): Uint8Array {
  const octets = new Uint8Array(reservations.length * ENTRY_OCTETS);
  const view = new DataView(octets.buffer);
  for (const [index, { task, at, watts }] of reservations.entries()) {
    octets.set(fromHex(task), index * ENTRY_OCTETS);
    view.setUint16(index * ENTRY_OCTETS + TASK_OCTETS, Math.floor(at / 0x1_0000_0000));
    view.setUint32(index * ENTRY_OCTETS + TASK_OCTETS + 2, at % 0x1_0000_0000);
    view.setUint32(index * ENTRY_OCTETS + WATTS_AT, watts);
  }
  return octets;
}

function unpacked(octets: Uint8Array): Reservation[] {
  if (octets.length % ENTRY_OCTETS !== 0)
    throw new RangeError(`expected entries of ${ENTRY_OCTETS} octets, got ${octets.length}`);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return Array.from({ length: octets.length / ENTRY_OCTETS }, (_, index) => {
    const from = index * ENTRY_OCTETS;
    const at = view.getUint16(from + TASK_OCTETS) * 0x1_0000_0000 + view.getUint32(from + TASK_OCTETS + 2);
    return { task: toHex(octets.subarray(from, from + TASK_OCTETS)), at, watts: view.getUint32(from + WATTS_AT) };
  });
}

export const dynamoGuards = (db: DynamoDBDocumentClient, TableName: string): GuardStore => ({
  async read(names) {
    const items = await batchGet(db, TableName, names.map(keyOf));
    return new Map(
      items.map((item) => {
        const { version, reservations } = Stored.parse(item);
        return [item.pk.slice(PREFIX.length), { version, reservations: unpacked(reservations) }];
      }),
    );
  },
  async write(name, version, reservations) {
    const written = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...keyOf(name), version: version + 1, reservations: packed(reservations) },
          ConditionExpression: version === 0 ? "attribute_not_exists(pk)" : "#version = :was",
          ...(version === 0
            ? {}
            : { ExpressionAttributeNames: { "#version": "version" }, ExpressionAttributeValues: { ":was": version } }),
        }),
      ),
    );
    return written ? "written" : "conflict";
  },
});
