import { parseArgs } from "node:util";
import { type DiscoveredObject, discoverObjects } from "../../shared/dlms/client/discover-objects.ts";
import { type Draft, draftProfiles } from "../../shared/dlms/client/draft-profile.ts";
import { readDetails } from "../../shared/dlms/client/object-details.ts";
import { openSession } from "../../shared/dlms/client/open-session.ts";
import { interfaceClassName } from "../../shared/dlms/objects/interface-classes.ts";
import type { DlmsProfile } from "../../shared/metering/profile.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";
import { tcpDial } from "../bridge/tcp-dial.ts";
import { keysIn, profileIn, UsageError, whole } from "./options.ts";

const USAGE = `Reads the object list of a DLMS meter and drafts a device profile from it. It reads; it changes nothing.

  npm run -s discover -- --host HOST [options]

Options
  --port N            TCP port (4059)
  --profile NAME      a device profile of the product, whose access (SAPs, authentication, ciphering) is used
                      (generic-eu-public: no security, client SAP 16)
  --access FILE       a device profile as JSON, whose access is used instead
  --client-sap N, --server-sap N
                      in place of the access's own
  --keys FILE         the meter's keys as JSON: { "unicast", "authentication", "llsSecret", … } as hex
  --title HEX         the meter's system title, 16 hex digits, for a secured session
  --client-title HEX  this client's system title, 16 hex digits (4844520000000001)
  --counter N         first invocation counter to use, above all that this client title ever used under these keys
  --name NAME         name of the drafted profile (draft)
  --class N           objects of this class alone; may be repeated. By selective access where the meter offers it
  --timeout S         seconds to wait for an answer (10)
  --json              one JSON object: { "objects", "untold", "profiles" }
  --help

Without --json: the objects, what could not be told, and the drafted profiles as JSON.
Exit: 0 a profile was drafted, 3 none could be, 1 the meter was not reached or refused, 2 usage.
`;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: "string" },
        port: { type: "string", default: "4059" },
        profile: { type: "string", default: "generic-eu-public" },
        access: { type: "string" },
        "client-sap": { type: "string" },
        "server-sap": { type: "string" },
        keys: { type: "string" },
        title: { type: "string" },
        "client-title": { type: "string", default: "4844520000000001" },
        counter: { type: "string" },
        name: { type: "string", default: "draft" },
        class: { type: "string", multiple: true },
        timeout: { type: "string", default: "10" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
type Values = ReturnType<typeof parse>;

function titleOf(option: string, text: string): string {
  if (/^[0-9a-fA-F]{16}$/.test(text)) return text.toLowerCase();
  throw new UsageError(`--${option}: expected 16 hex digits`);
}

async function profileOf(values: Values): Promise<DlmsProfile> {
  const found = values.access === undefined ? PROFILES.get(values.profile) : await profileIn(values.access);
  if (found?.protocol !== "dlms") {
    const names = [...PROFILES.values()].flatMap(({ name, protocol }) => (protocol === "dlms" ? [name] : []));
    throw new UsageError(`--profile: expected a DLMS device profile: ${names.join(", ")}`);
  }
  const sap = (option: "client-sap" | "server-sap", own: number) =>
    values[option] === undefined ? own : whole(option, values[option], 0, 0xffff);
  const { access } = found.dlms;
  return {
    ...found,
    dlms: {
      ...found.dlms,
      access: {
        ...access,
        clientSap: sap("client-sap", access.clientSap),
        serverSap: sap("server-sap", access.serverSap),
      },
    },
  };
}
interface Discovery extends Draft {
  readonly objects: readonly DiscoveredObject[];
}

async function discover(host: string, values: Values): Promise<Discovery> {
  const port = whole("port", values.port, 1, 65_535);
  const responseTimeoutMs = whole("timeout", values.timeout, 1, 600) * 1000;
  const classes = values.class?.map((text) => whole("class", text, 1, 0xffff));
  if (!/^[a-z0-9][a-z0-9.-]{0,55}$/.test(values.name))
    throw new UsageError("--name: expected lower-case letters, digits, '.' and '-'");
  const profile = await profileOf(values);
  const { access } = profile.dlms;
  if (values.counter === undefined && (access.ciphering !== "none" || access.authentication === "hls-gmac"))
    throw new UsageError("expected --counter: a counter must never be used twice under a key");
  let counter = values.counter === undefined ? 0 : whole("counter", values.counter, 0, 0xffff_fffe);
  const context = {
    clock: systemClock,
    random: systemRandom,
    crypto: nodeCrypto,
    profile,
    systemTitle: values.title === undefined ? undefined : titleOf("title", values.title),
    clientSystemTitle: titleOf("client-title", values["client-title"]),
    keys: values.keys === undefined ? undefined : await keysIn(values.keys),
    counters: { next: () => counter++ },
    responseTimeoutMs,
  };
  const link = await tcpDial(systemClock)(
    { kind: "dial", transport: "tcp", host, port },
    systemClock.now() + responseTimeoutMs,
  );
  try {
    const session = await openSession({ ...context, link });
    const list = await discoverObjects(session, access.referencing ?? "logical-name", classes);
    const details = await readDetails(session, list.objects);
    await session.release();
    const draft = draftProfiles(values.name, access, { objects: list.objects, details });
    return { ...draft, objects: list.objects, untold: [...list.untold, ...draft.untold] };
  } finally {
    await link.close();
  }
}

const sorted = (numbers: Iterable<number>): readonly number[] => [...numbers].sort((left, right) => left - right);

function objectJson({ classId, version, logicalName, attributes, methods }: DiscoveredObject): object {
  return {
    classId,
    class: interfaceClassName(classId) ?? null,
    version,
    logicalName,
    ...(attributes && {
      attributes: [...attributes].map(([id, { read, write, selectors }]) => ({ id, read, write, selectors })),
    }),
    ...(methods && { methods: sorted(methods) }),
  };
}

/** `3 Register, version 0   1.0.1.8.0.255   reads 1,2,3   writes –   methods –` */
function objectLine({ classId, version, logicalName, attributes, methods }: DiscoveredObject): string {
  const head = `${String(classId).padStart(5)} ${(interfaceClassName(classId) ?? "unknown class").padEnd(28)} v${version}  ${logicalName.padEnd(18)}`;
  if (attributes === undefined || methods === undefined) return head.trimEnd();
  const list = (ids: Iterable<number>) => sorted(ids).join(",") || "-";
  const may = (what: "read" | "write") => list([...attributes].flatMap(([id, rights]) => (rights[what] ? [id] : [])));
  return `${head} reads ${may("read")}  writes ${may("write")}  methods ${list(methods)}`;
}

function text({ objects, untold, profiles }: Discovery): string {
  const parts = [
    `Objects: ${objects.length}`,
    ...objects.map(objectLine),
    "",
    `Not told or assumed: ${untold.length}`,
    ...untold.map(({ about, because }) => `  ${about}: ${because}`),
    "",
    `Drafted profiles: ${profiles.length}`,
    ...profiles.map((profile) => JSON.stringify(profile, null, 2)),
  ];
  return `${parts.join("\n")}\n`;
}

/** Where the command prints. */
interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs the command; answers its exit code. */
export async function command(args: readonly string[], { out, err }: Output): Promise<number> {
  try {
    const values = parse(args);
    if (values.help) {
      out(USAGE);
      return 0;
    }
    if (values.host === undefined) throw new UsageError("expected --host");
    const found = await discover(values.host, values);
    const { objects, untold, profiles } = found;
    out(values.json ? `${JSON.stringify({ objects: objects.map(objectJson), untold, profiles })}\n` : text(found));
    return profiles.length > 0 ? 0 : 3;
  } catch (error) {
    if (error instanceof UsageError) {
      err(`discover: ${error.message}\n\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof HeadraceError)) throw error;
    err(`discover: ${error.code}: ${error.message}\n`);
    return 1;
  }
}

if (import.meta.main)
  process.exitCode = await command(process.argv.slice(2), {
    out: (printed) => process.stdout.write(printed),
    err: (printed) => process.stderr.write(printed),
  });
