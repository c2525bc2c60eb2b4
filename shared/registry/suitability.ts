import { provesFreshly } from "../metering/fresh-proof.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { EnrolmentRequest, FieldProblem, RegisteredMeter } from "./registered-meter.ts";

/** Which keys a profile's sessions need. */
function keysNeeded(profile: DeviceProfile): readonly (keyof MeterKeys)[] {
  if (profile.protocol === "c1222") {
    const { security, userId } = profile.c1222.access;
    return [
      ...(security === "clear" ? [] : (["unicast"] as const)),
      ...(userId === undefined ? [] : (["llsSecret"] as const)),
    ];
  }
  const { access } = profile.dlms;
  const { authentication, ciphering, cipheringKey, securityPolicy = 0 } = access;
  const ciphered = authentication === "hls-gmac" || authentication === "hls-ecdsa" || ciphering !== "none";
  const digests = authentication === "hls-md5" || authentication === "hls-sha1" || authentication === "hls-sha256";
  const agreed = cipheringKey === "one-pass" || cipheringKey === "static-unified";
  const signed = authentication === "hls-ecdsa" || cipheringKey === "one-pass" || (securityPolicy & 0x90) !== 0;
  return [
    ...(ciphered ? (["unicast", "authentication"] as const) : []),
    ...(authentication === "lls" ? (["llsSecret"] as const) : []),
    ...(digests ? (["hlsSecret"] as const) : []),
    ...(signed ? (["clientSigning", "meterSigning"] as const) : []),
    ...(agreed ? (["clientAgreement", "meterAgreement"] as const) : []),
  ];
}

const TITLE = { dlms: "a system title", c1222: "an ApTitle" } as const;

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
      expected: `an address to dial: profile ${profile.name} does not let a meter that calls in prove who it is (HLS-GMAC)`,
      received: "attached",
    };
  const relayed = request.routes.findIndex(({ kind }) => kind === "relay");
  if (relayed >= 0 && profile.protocol !== "c1222")
    return {
      field: `routes.${relayed}`,
      expected: `another route: relays pass on messages of C12.22, and profile ${profile.name} is of another protocol`,
      received: "relay",
    };
  const needed = keysNeeded(profile);
  const named = profile.protocol === "c1222" || needed.includes("unicast");
  if (named && request.systemTitle === undefined)
    return {
      field: "systemTitle",
      expected: `${TITLE[profile.protocol]}, which profile ${profile.name} needs`,
      received: "nothing",
    };
  // An ApTitle has dots, a system title has none.
  if (request.systemTitle !== undefined && request.systemTitle.includes(".") !== (profile.protocol === "c1222"))
    return {
      field: "systemTitle",
      expected: `${TITLE[profile.protocol]}, as profile ${profile.name} has it`,
      received: request.systemTitle,
    };
  const missing = needed.find((name) => request.keys?.[name] === undefined);
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
