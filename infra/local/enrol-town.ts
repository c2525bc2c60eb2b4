import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { z } from "zod";
import type { ImportCreated, ImportInApi } from "../../shared/api/imports.ts";
import type { MeterList, ProfileList } from "../../shared/api/meters.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { concat, fromHex, toHex } from "../../shared/ports/octets.ts";
import { ApiError, type LocalApi } from "./local-api.ts";
import { StartupError } from "./startup-error.ts";
import type { TownGroup } from "./town-group.ts";
import { type TownMeter, titleOf } from "./town-listing.ts";

const ROLE = "administrator";
const SEEDED_WITHIN_MS = 60_000;
const POLL_MS = 200;

/** Resolves when bootstrap has seeded the deployment: the first tick has it done. */
export async function seeded(api: LocalApi): Promise<void> {
  for (const end = Date.now() + SEEDED_WITHIN_MS; ; await pause(POLL_MS)) {
    const answer = await api.call<z.input<typeof ProfileList>>(ROLE, "GET", "/profiles").catch((error: unknown) => {
      if (error instanceof ApiError && error.status >= 500 && Date.now() < end) return undefined;
      throw error;
    });
    if ((answer?.body.profiles.length ?? 0) > 0) return;
    if (Date.now() > end)
      throw new StartupError("bootstrap has not seeded the deployment within a minute; see its log");
  }
}

async function enrolledMeters(api: LocalApi): Promise<Set<string>> {
  const enrolled = new Set<string>();
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: "500", ...(cursor === undefined ? {} : { cursor }) });
    const { body } = await api.call<z.input<typeof MeterList>>(ROLE, "GET", `/meters?${query}`);
    for (const { meterId, state } of body.meters) if (state === "enrolled") enrolled.add(meterId);
    cursor = body.cursor;
  } while (cursor !== undefined);
  return enrolled;
}

/** The columns of an import; keys are wrapped under the transport key (RFC 3394). */
const COLUMNS = [
  "meterId",
  "serial",
  "commodity",
  "profile",
  "systemTitle",
  "host",
  "port",
  "transport",
  "relay",
  "thing",
  "groups",
  "feeder",
  "transformer",
  "collector",
  "latitude",
  "longitude",
  "transportKey",
  "unicastKey",
  "authenticationKey",
  "llsSecret",
] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string>>;

/** Of all C12.22 meters: a group of the registry, and the route by which they are asked all at once. */
const C1222_GROUP = "c1222";

/** Meters of one transformer and of one feeder of the simulated network. */
const METERS_A_TRANSFORMER = 20;
const METERS_A_FEEDER = 200;
/** Somewhere for the map: rows of a grid, in degrees. */
const PLACE = { latitude: 47.05, longitude: 8.3, step: 0.0005, columns: 40 } as const;

const groupsOf = (meter: TownMeter, index: number): readonly string[] => [
  "town",
  ...(index % 10 === 0 ? ["sample"] : []),
  ...(meter.protocol === "c1222" ? [C1222_GROUP] : []),
];

function rowOf(meter: TownMeter, index: number, transportKey: Uint8Array): Row {
  const wrap = (octets: Uint8Array): string => toHex(nodeCrypto.wrapKey(transportKey, octets));
  const { unicast, authentication, llsSecret } = meter.keys;
  return {
    meterId: meter.meterId,
    serial: meter.serial,
    commodity: meter.commodity,
    profile: meter.profile,
    systemTitle: titleOf(meter),
    // A row without a host is a meter that holds its own connection.
    ...(meter.thing !== undefined
      ? { thing: meter.thing }
      : meter.attached === true
        ? {}
        : { host: meter.host, port: String(meter.port), transport: meter.transport }),
    ...(meter.protocol === "c1222" && meter.relay !== undefined && { relay: meter.relay }),
    groups: groupsOf(meter, index).join(";"),
    feeder: `F${Math.floor(index / METERS_A_FEEDER) + 1}`,
    transformer: `T${Math.floor(index / METERS_A_TRANSFORMER) + 1}`,
    latitude: (PLACE.latitude + Math.floor(index / PLACE.columns) * PLACE.step).toFixed(5),
    longitude: (PLACE.longitude + (index % PLACE.columns) * PLACE.step).toFixed(5),
    transportKey: "town",
    ...(unicast === undefined ? {} : { unicastKey: wrap(fromHex(unicast)) }),
    ...(authentication === undefined ? {} : { authenticationKey: wrap(fromHex(authentication)) }),
    ...(llsSecret === undefined ? {} : { llsSecret: wrap(padded(fromHex(llsSecret))) }),
  };
}

/** One octet of length, the secret, zeros up to a multiple of 8 and at least 16: what key wrap takes. */
function padded(secret: Uint8Array): Uint8Array {
  const length = Math.max(16, Math.ceil((secret.length + 1) / 8) * 8);
  return concat(Uint8Array.of(secret.length), secret, new Uint8Array(length - secret.length - 1));
}

const csvOf = (rows: readonly Row[]): string =>
  [COLUMNS.join(","), ...rows.map((row) => COLUMNS.map((column) => row[column] ?? "").join(","))]
    .join("\n")
    .concat("\n");

/**
 * Enrols the town as an administrator would: a transport key, a CSV with wrapped keys, an upload, an import. Meters that
 * are enrolled already are left alone. Answers how many were enrolled now.
 */
export async function enrolTown(
  api: LocalApi,
  meters: readonly TownMeter[],
  progress: (text: string) => void,
): Promise<number> {
  await seeded(api);
  const known = await enrolledMeters(api);
  const rows = meters.flatMap((meter, index) => (known.has(meter.meterId) ? [] : [{ meter, index }]));
  if (rows.length === 0) return 0;
  const transportKey = new Uint8Array(randomBytes(32));
  await api.call(ROLE, "PUT", "/transport-keys/town", { key: toHex(transportKey) });
  const csv = csvOf(rows.map(({ meter, index }) => rowOf(meter, index, transportKey)));
  const created = await api.call<z.input<typeof ImportCreated>>(ROLE, "POST", "/imports");
  const { importId, upload } = created.body;
  const sent = await fetch(upload.url, { method: upload.method, body: csv });
  if (!sent.ok) throw new StartupError(`the upload of the population was refused: ${sent.status} ${await sent.text()}`);
  await api.call(ROLE, "POST", `/imports/${importId}/start`);
  for (;;) {
    const { body } = await api.call<z.input<typeof ImportInApi>>(ROLE, "GET", `/imports/${importId}`);
    progress(`enrolled ${body.enrolled + body.unchanged} of ${rows.length} meters`);
    if (body.state === "failed" || body.rejected > 0)
      throw new StartupError(
        `the import of the population failed: ${body.failure ?? JSON.stringify(body.errors.slice(0, 3))}`,
      );
    if (body.state === "done") return body.enrolled;
    await pause(POLL_MS);
  }
}

/** Stores the route by which the town's C12.22 meters are asked all at once. */
export async function storeGroupRoute(api: LocalApi, group: TownGroup): Promise<void> {
  await api.call(ROLE, "PUT", `/group-routes/${C1222_GROUP}`, {
    ...group,
    members: { kind: "group", group: C1222_GROUP },
  });
}
