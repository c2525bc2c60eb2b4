import type { Caller } from "../../shared/jobs/job.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { MORATORIA_MAX, type Moratorium, type Rules, STOPS_MAX, type Stop } from "../../shared/switching/authority.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { type ActiveRegion, dynamoAuthority } from "../adapters/dynamo-authority.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({ ACCESS_TABLE: Setting, REGISTRY_TABLE: Setting, AUTHORITY_TABLE: Setting });
const db = documentClient();
const authority = dynamoAuthority(db, env.AUTHORITY_TABLE);
const access = dynamoAccess(db, env.ACCESS_TABLE);
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const audit = auditOfEnvironment();

const byOf = ({ id, name }: Caller) => ({ id, ...(name === undefined ? {} : { name }) });
/** Written before what it tells of. */
const note = (caller: Caller, action: string, reason: string, about: object, meterId?: string): Promise<void> =>
  audit.append({
    at: systemClock.now(),
    by: byOf(caller),
    action,
    reason,
    ...(meterId === undefined ? {} : { meterId }),
    detail: Object.fromEntries(
      Object.entries(about).map(([name, value]) => [name, JSON.stringify(value).slice(0, 256)]),
    ),
  });

const unseeded = () =>
  refuse("conflict", "The deployment is not seeded yet.", { field: "authority", expected: "an epoch" });
const busy = () =>
  refuse("conflict", "Others changed the rules meanwhile.", { field: "authority", expected: "another try" });

/** Changes stops, moratoria and policy under their version. */
async function change(
  next: (now: ActiveRegion) => Rules | undefined,
): Promise<"written" | "unseeded" | "none" | "busy"> {
  for (let tries = 0; tries < 10; tries++) {
    const now = await authority.active();
    if (now === undefined) return "unseeded";
    const rules = next(now);
    if (rules === undefined) return "none";
    if (await authority.writeRules(now.rules, rules)) return "written";
  }
  return "busy";
}

async function view() {
  const now = await authority.active();
  if (now === undefined) return unseeded();
  const { rules: _rules, ...shown } = now;
  const stops = shown.stops.filter(({ until }) => until === undefined || until > systemClock.now());
  return {
    status: 200 as const,
    body: { ...shown, stops: [...stops], moratoria: [...shown.moratoria], guards: await authority.guards() },
  };
}

/** What there is to know of a kind of rule that people set and lift. */
interface RuleKind<Rule> {
  readonly word: string;
  readonly words: string;
  readonly idField: string;
  readonly idOf: (rule: Rule) => string;
  /** Those that still count. */
  readonly of: (rules: Rules, now: number) => readonly Rule[];
  readonly put: (rules: Rules, list: readonly Rule[]) => Rules;
  readonly most: number;
  /** The field of the request that one too many is told by. */
  readonly field: string;
  /** What the audit says of it. */
  readonly about: (rule: Rule) => object;
}
const STOPS: RuleKind<Stop> = {
  ...{ word: "stop", words: "stops", idField: "stopId", most: STOPS_MAX, field: "acts" },
  idOf: ({ stopId }) => stopId,
  of: ({ stops }, now) => stops.filter(({ until }) => until === undefined || until > now),
  put: (rules, stops) => ({ ...rules, stops }),
  about: ({ stopId, acts, feeder }) => ({ stopId, acts, feeder: feeder ?? "everywhere" }),
};
const MORATORIA: RuleKind<Moratorium> = {
  ...{ word: "moratorium", words: "moratoria", idField: "moratoriumId", most: MORATORIA_MAX, field: "calendar" },
  idOf: ({ moratoriumId }) => moratoriumId,
  of: ({ moratoria }) => moratoria,
  put: (rules, moratoria) => ({ ...rules, moratoria }),
  about: ({ moratoriumId, calendar, feeder }) => ({
    moratoriumId,
    calendar: calendar.name,
    feeder: feeder ?? "everywhere",
  }),
};

/** The rule first: what cannot be written in the audit must not keep it from working. */
async function setRule<Rule extends { readonly reason: string; readonly at: number }>(
  { word, words, of, put, most, field, about }: RuleKind<Rule>,
  caller: Caller,
  rule: Rule,
) {
  const outcome = await change((rules) => {
    const live = of(rules, rule.at);
    return live.length < most ? put(rules, [...live, rule]) : undefined;
  });
  if (outcome === "unseeded") return unseeded();
  if (outcome === "busy") return busy();
  if (outcome === "none")
    return refuse("conflict", `There are too many ${words}.`, { field, expected: `at most ${most} ${words}` });
  await note(caller, `${word}.set`, rule.reason, about(rule));
  return { status: 201 as const, body: rule };
}

async function liftRule<Rule>(
  { word, idField, idOf, of, put }: RuleKind<Rule>,
  caller: Caller,
  id: string,
  reason: string,
) {
  await note(caller, `${word}.lifted`, reason, { [idField]: id });
  const outcome = await change((rules) => {
    const live = of(rules, Number.NEGATIVE_INFINITY);
    return live.some((one) => idOf(one) === id)
      ? put(
          rules,
          live.filter((one) => idOf(one) !== id),
        )
      : undefined;
  });
  if (outcome === "none")
    return refuse("not-found", `There is no such ${word}.`, {
      field: idField,
      expected: `the id of a ${word}`,
      received: id,
    });
  return outcome === "written" ? view() : outcome === "unseeded" ? unseeded() : busy();
}

export const handler = httpHandler({
  readAuthority: view,
  async setStop({ body: { acts, feeder, reason, until }, caller }) {
    return setRule(STOPS, caller, {
      stopId: toHex(systemRandom.octets(8)),
      acts,
      reason,
      by: byOf(caller),
      at: systemClock.now(),
      ...(feeder === undefined ? {} : { feeder }),
      ...(until === undefined ? {} : { until }),
    });
  },
  liftStop: ({ params: { stopId }, body: { reason }, caller }) => liftRule(STOPS, caller, stopId, reason),
  async setMoratorium({ body, caller }) {
    const moratoriumId = toHex(systemRandom.octets(8));
    return setRule(MORATORIA, caller, { ...body, moratoriumId, by: byOf(caller), at: systemClock.now() });
  },
  liftMoratorium: ({ params: { moratoriumId }, body: { reason }, caller }) =>
    liftRule(MORATORIA, caller, moratoriumId, reason),
  async setSwitchPolicy({ body: { policy, reason }, caller }) {
    await note(caller, "policy.set", reason, policy);
    const outcome = await change((now) => ({ ...now, policy }));
    return outcome === "written" ? view() : outcome === "unseeded" ? unseeded() : busy();
  },
  async setGuards({ body: { guards, reason }, caller }) {
    await note(caller, "guards.set", reason, guards);
    await authority.setGuards(guards);
    return view();
  },
  async setFlags({ params: { meterId }, body: { reason, ...flags }, caller }) {
    const unknown = () =>
      refuse("not-found", "No such meter is enrolled.", {
        field: "meterId",
        expected: "an enrolled meter",
        received: meterId,
      });
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter?.state !== "enrolled") return unknown();
    await note(caller, "meter.flags", reason, flags, meterId);
    return (await access.setFlags(meter.place, meterId, flags))
      ? { status: 200, body: { meterId, ...flags } }
      : unknown();
  },
});
