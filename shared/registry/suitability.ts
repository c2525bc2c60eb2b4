import { hasMailbox, keysNeeded, namingOf, passesRelays } from "../metering/enrolment-needs.ts";
import { provesFreshly } from "../metering/fresh-proof.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { EnrolmentRequest, FieldProblem, RegisteredMeter } from "./registered-meter.ts";

/** Whether a meter of this profile could be talked to with what the request brings. */
export function unsuitable(request: EnrolmentRequest, profile: DeviceProfile): FieldProblem | undefined {
  if (profile.commodity !== request.commodity)
    return {
      field: "commodity",
      expected: `${profile.commodity}, as profile ${profile.name} is for`,
      received: request.commodity,
    };
  const calls = request.routes.findIndex(({ kind }) => kind === "attached");
  if (calls >= 0 && !provesFreshly(profile))
    return {
      field: `routes.${calls}`,
      expected: `an address to dial: profile ${profile.name} does not let a meter that calls in prove who it is (DLMS: HLS; C12.22: secured messages)`,
      received: "attached",
    };
  const relayed = request.routes.findIndex(({ kind }) => kind === "relay");
  if (relayed >= 0 && !passesRelays(profile))
    return {
      field: `routes.${relayed}`,
      expected: `another route: relays pass on messages of C12.22, and profile ${profile.name} is of another protocol`,
      received: "relay",
    };
  const sleeping = request.routes.findIndex(({ kind }) => kind === "sleepy");
  if (sleeping >= 0 && !hasMailbox(profile))
    return {
      field: `routes.${sleeping}`,
      expected: `another route: profile ${profile.name} is not of an endpoint that sleeps, with a key of its own`,
      received: "sleepy",
    };
  const { named, isTitle, title } = namingOf(profile);
  if (named && request.systemTitle === undefined)
    return { field: "systemTitle", expected: `${title}, which profile ${profile.name} needs`, received: "nothing" };
  if (request.systemTitle !== undefined && !isTitle(request.systemTitle))
    return {
      field: "systemTitle",
      expected: `${title}, as profile ${profile.name} has it`,
      received: request.systemTitle,
    };
  const missing = keysNeeded(profile).find((name) => request.keys?.[name] === undefined);
  return missing === undefined
    ? undefined
    : { field: `keys.${missing}`, expected: `a key, which profile ${profile.name} needs` };
}

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** The first field in which a repeated enrolment says something else than what is there. */
export function differenceOf(there: RegisteredMeter, request: EnrolmentRequest): FieldProblem | undefined {
  const { meter } = there;
  const fields: readonly (readonly [string, unknown, unknown])[] = [
    ["serial", meter.serial, request.serial],
    ["commodity", meter.commodity, request.commodity],
    ["profile", meter.profile, request.profile],
    ["systemTitle", meter.systemTitle, request.systemTitle],
    ["routes", meter.routes, request.routes],
    ["memberships.feeder", meter.memberships.feeder, request.memberships.feeder],
    ["memberships.transformer", meter.memberships.transformer, request.memberships.transformer],
    ["memberships.collector", meter.memberships.collector, request.memberships.collector],
    ["location", meter.location, request.location],
    ["servicePoint", meter.servicePoint, request.servicePoint],
    ["at", request.installed && there.installed, request.installed],
  ];
  for (const [field, has, asked] of fields)
    if (canonical(has) !== canonical(asked))
      return {
        field,
        expected: `${has === undefined ? "nothing" : shown(has)}, as ${meter.meterId} is enrolled with`,
        received: asked === undefined ? "nothing" : shown(asked),
      };
  // A meter may have been put into further groups since.
  const strange = request.memberships.groups.find((group) => !meter.memberships.groups.includes(group));
  return strange === undefined
    ? undefined
    : {
        field: "memberships.groups",
        expected: `groups that ${meter.meterId} is in; groups of an enrolled meter are changed by the group`,
        received: strange,
      };
}

/** JSON with the names of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}

/** The first key in which two sets of keys differ, by its name alone. */
export function keyDifference(there: MeterKeys | undefined, asked: MeterKeys | undefined): string | undefined {
  const names = ["unicast", "authentication", "llsSecret"] as const;
  return names.find((name) => there?.[name]?.toLowerCase() !== asked?.[name]?.toLowerCase());
}
