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

export const handler = httpHandler({
  readAuthority: view,
  async setStop({ body, caller }) {
    const { acts, feeder, reason, until } = body;
    const now = systemClock.now();
    const stop: Stop = {
      stopId: toHex(systemRandom.octets(8)),
      acts,
      reason,
      by: byOf(caller),
      at: now,
      ...(feeder === undefined ? {} : { feeder }),
      ...(until === undefined ? {} : { until }),
    };
    // The stop first: what cannot be written in the audit must not keep it from working.
    const outcome = await change(({ stops, ...rest }) => {
      const live = stops.filter((one) => one.until === undefined || one.until > now);
      return live.length < STOPS_MAX ? { ...rest, stops: [...live, stop] } : undefined;
    });
    if (outcome === "unseeded") return unseeded();
    if (outcome !== "written")
      return outcome === "none"
        ? refuse("conflict", "There are too many stops.", { field: "acts", expected: `at most ${STOPS_MAX} stops` })
        : busy();
    await note(caller, "stop.set", reason, { stopId: stop.stopId, acts, feeder: feeder ?? "everywhere" });
    return { status: 201, body: stop };
  },
  async liftStop({ params: { stopId }, body: { reason }, caller }) {
    await note(caller, "stop.lifted", reason, { stopId });
    const outcome = await change(({ stops, ...rest }) =>
      stops.some((one) => one.stopId === stopId)
        ? { ...rest, stops: stops.filter((one) => one.stopId !== stopId) }
        : undefined,
    );
    if (outcome === "none")
      return refuse("not-found", "There is no such stop.", {
        field: "stopId",
        expected: "the id of a stop",
        received: stopId,
      });
    return outcome === "written" ? view() : outcome === "unseeded" ? unseeded() : busy();
  },
  async setMoratorium({ body: { reason, ...asked }, caller }) {
    const moratorium: Moratorium = {
      ...asked,
      moratoriumId: toHex(systemRandom.octets(8)),
      reason,
      by: byOf(caller),
      at: systemClock.now(),
    };
    // As with a stop: it works before it is written down.
    const outcome = await change(({ moratoria, ...rest }) =>
      moratoria.length < MORATORIA_MAX ? { ...rest, moratoria: [...moratoria, moratorium] } : undefined,
    );
    if (outcome === "unseeded") return unseeded();
    if (outcome !== "written")
      return outcome === "none"
        ? refuse("conflict", "There are too many moratoria.", {
            field: "calendar",
            expected: `at most ${MORATORIA_MAX} moratoria`,
          })
        : busy();
    await note(caller, "moratorium.set", reason, {
      moratoriumId: moratorium.moratoriumId,
      calendar: asked.calendar.name,
      feeder: asked.feeder ?? "everywhere",
    });
    return { status: 201, body: moratorium };
  },
  async liftMoratorium({ params: { moratoriumId }, body: { reason }, caller }) {
    await note(caller, "moratorium.lifted", reason, { moratoriumId });
    const outcome = await change(({ moratoria, ...rest }) =>
      moratoria.some((one) => one.moratoriumId === moratoriumId)
        ? { ...rest, moratoria: moratoria.filter((one) => one.moratoriumId !== moratoriumId) }
        : undefined,
    );
    if (outcome === "none")
      return refuse("not-found", "There is no such moratorium.", {
        field: "moratoriumId",
        expected: "the id of a moratorium",
        received: moratoriumId,
      });
    return outcome === "written" ? view() : outcome === "unseeded" ? unseeded() : busy();
  },
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
