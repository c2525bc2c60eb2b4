import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { type GroupKeys, GroupRoute, type GroupRoutes } from "../../shared/jobs/group-route.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { toHex } from "../../shared/ports/octets.ts";
import type { SecretVault } from "../../shared/security/key-vault.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * Group routes in the Registry table: `GROUPROUTES` / `<name>` {version, route, key}. What is removed stays as
 * its version alone, so that a route of the same name never has a version twice.
 */
const PARTITION = "GROUPROUTES";
const keyOf = (name: string) => ({ pk: PARTITION, sk: name });
const Stored = z.object({
  version: z.int().min(1),
  route: GroupRoute.omit({ version: true }).optional(),
  key: z
    .strictObject({ blob: z.custom<Uint8Array>((octets) => octets instanceof Uint8Array), version: z.int().min(1) })
    .optional(),
});
type Stored = z.infer<typeof Stored>;
const TRIES = 5;
const contextOf = (name: string, version: number) => ({ subject: name, purpose: "group-key", version }) as const;

const routeOf = ({ route, version }: Stored): GroupRoute | undefined => route && { ...route, version };

export function dynamoGroupRoutes(
  db: DynamoDBDocumentClient,
  TableName: string,
  vault: Pick<SecretVault, "seal">,
): GroupRoutes {
  const write = async (
    name: string,
    next: (was: Stored | undefined) => Promise<Omit<Stored, "version"> | undefined>,
  ) => {
    for (let tries = 0; tries < TRIES; tries++) {
      const was = await readStored(db, TableName, name);
      const content = await next(was);
      if (content === undefined) return undefined;
      const item: Stored = { ...content, version: (was?.version ?? 0) + 1 };
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...keyOf(name), ...item },
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
      if (written) return item;
    }
    throw new HeadraceError("registry.contended", `expected group route ${name} to be left alone`, { retry: "later" });
  };
  return {
    ...groupRouteReader(db, TableName),
    async list() {
      const found: GroupRoute[] = [];
      for await (const item of partitionItems(db, TableName, PARTITION))
        found.push(...[routeOf(Stored.parse(item))].filter((one) => one !== undefined));
      return found;
    },
    async put(route, key) {
      const item = await write(route.name, async (was) => {
        if (key === undefined) return was?.key === undefined ? undefined : { route, key: was.key };
        const version = (was?.version ?? 0) + 1; // the item's, so that no two keys of a name share one
        return { route, key: { version, blob: await vault.seal(contextOf(route.name, version), key) } };
      });
      return item === undefined ? "key-missing" : { ...route, version: item.version };
    },
    async remove(name) {
      const item = await write(name, async (was) => (was?.route === undefined ? undefined : {}));
      return item !== undefined;
    },
  };
}

async function readStored(db: DynamoDBDocumentClient, TableName: string, name: string): Promise<Stored | undefined> {
  const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(name), ConsistentRead: true }));
  return Item === undefined ? undefined : Stored.parse(Item);
}

/** For functions that have nothing to do with keys. */
export const groupRouteReader = (db: DynamoDBDocumentClient, TableName: string): Pick<GroupRoutes, "read"> => ({
  async read(name) {
    const stored = await readStored(db, TableName, name);
    return stored && routeOf(stored);
  },
});

/** For bridges. */
export const dynamoGroupKeys = (
  db: DynamoDBDocumentClient,
  TableName: string,
  vault: Pick<SecretVault, "open">,
): GroupKeys => ({
  async open(name) {
    const stored = await readStored(db, TableName, name);
    const route = stored && routeOf(stored);
    if (route === undefined || stored?.key === undefined) return undefined;
    const secret = await vault.open(contextOf(name, stored.key.version), stored.key.blob);
    const key = { id: route.keyId, hex: toHex(secret) };
    secret.fill(0);
    return { route, key };
  },
});
