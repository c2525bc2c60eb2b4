import type { Caller, JobId } from "../../shared/jobs/job.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import type { MeterId } from "../../shared/metering/meter.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { hasSwitch } from "../../shared/metering/profile-abilities.ts";
import { judgeCheck, NEIGHBOURS_MAX, type PowerCheck } from "../../shared/outage/power-check.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoPowerChecks } from "../adapters/dynamo-outages.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { outageReaders } from "../adapters/outage-readers.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({
  REGISTRY_TABLE: Setting,
  READINGS_TABLE: Setting,
  TIMELINE_TABLE: Setting,
  OUTAGES_TABLE: Setting,
});
const db = documentClient();
const jobs = jobPorts();
const readers = outageReaders();
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const profiles = dynamoProfiles(db, env.REGISTRY_TABLE);
const checks = dynamoPowerChecks(db, env.OUTAGES_TABLE);
const ports = {
  ...readers,
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
  timeline: dynamoTimeline(db, env.TIMELINE_TABLE),
  ledger: jobs.ledger,
};

const unknown = (field: string, expected: string, received: string) =>
  refuse("not-found", `There is no ${received}.`, { field, expected, received });

async function view(check: PowerCheck) {
  const {
    facts,
    verdict,
    because,
    final,
    switch: position,
    lastGaspAt,
    outageId,
  } = await judgeCheck(ports, check, productClock.now());
  return {
    ...{ checkId: check.checkId, meterId: check.meterId, askedAt: check.askedAt, verdict, because, final },
    jobs: check.jobs,
    evidence: {
      meter: facts.meter,
      lineVolts: [...facts.lineVolts],
      loadVolts: [...facts.loadVolts],
      neighbours: facts.neighbours,
      ...(position === undefined ? {} : { switch: position }),
      ...(lastGaspAt === undefined ? {} : { lastGaspAt }),
      ...(outageId === undefined ? {} : { outageId }),
    },
  };
}

export const handler = httpHandler({
  async checkPower({ params: { meterId }, body, caller }) {
    const reference = body.reference ?? toHex(systemRandom.octets(16));
    const named = new TextEncoder().encode(JSON.stringify([caller.id, meterId, reference]));
    const checkId = toHex(nodeCrypto.hash("sha256", named).subarray(0, 12));
    const there = await checks.read(checkId);
    if (there !== undefined) return { status: 202, body: await view(there) };
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter?.state !== "enrolled") return unknown("meterId", "the id of an enrolled meter", meterId);
    const { feeder, transformer } = meter.meter.memberships;
    const fed = feeder === undefined || transformer === undefined ? [] : await readers.meters.metersOf(feeder);
    const neighbours = fed
      .filter((one) => one.transformer === transformer && one.meterId !== meterId)
      .slice(0, NEIGHBOURS_MAX);
    const askedAt = productClock.now();
    const profile = await profiles.version(meter.meter.profile, meter.profileVersion);
    const switched = profile !== undefined && hasSwitch(profile);
    const ask = (what: string, operation: Operation, meterIds: readonly MeterId[]) =>
      asked(caller, operation, meterIds, `${checkId}-${what}`);
    const PING = { kind: "ping", depth: "meter" } as const;
    const ids = await Promise.all([
      ask("meter", PING, [meterId]),
      ...(switched ? [ask("switch", { kind: "readSwitch" }, [meterId])] : []),
      ...(neighbours.length > 0
        ? [
            ask(
              "neighbours",
              PING,
              neighbours.map((one) => one.meterId),
            ),
          ]
        : []),
    ]);
    const check: PowerCheck = {
      ...{ checkId, meterId, place: meter.place, askedAt, jobs: ids },
      neighbours: neighbours.map(({ place }) => place),
      ...(feeder === undefined ? {} : { feeder }),
    };
    await checks.put(check);
    return { status: 202, body: await view(check) };
  },
  async readPowerCheck({ params: { meterId, checkId } }) {
    const check = await checks.read(checkId);
    if (check?.meterId !== meterId) return unknown("checkId", "the id of a check of this meter", checkId);
    return { status: 200, body: await view(check) };
  },
});

/** One meter in the interactive lane, several in the urgent one. */
async function asked(
  caller: Caller,
  operation: Operation,
  meterIds: readonly MeterId[],
  idempotencyKey: string,
): Promise<JobId> {
  const outcome = await submitJob(jobs, caller, {
    operation,
    target: { kind: "meters", meterIds: [...meterIds] },
    ...(meterIds.length > 1 ? { lane: "urgent" as const } : {}),
    retry: { passes: 1 },
    idempotencyKey,
  });
  if (outcome.kind === "accepted") return outcome.jobId;
  throw new Error(`expected to ask ${meterIds.length} meters, was refused: ${outcome.because}`);
}
