import { eachOf } from "../jobs/concurrency.ts";
import type { GroupRequests, SentGroupRequest } from "../jobs/group-request.ts";
import type { GroupKeys } from "../jobs/group-route.ts";
import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { recordOutcomes } from "../jobs/record-outcomes.ts";
import { windowEnd } from "../jobs/release.ts";
import type { Slice } from "../jobs/slice.ts";
import { slotsIn } from "../jobs/slots.ts";
import { SessionError } from "../metering/failure.ts";
import type { FanOutPoint } from "../metering/fan-out-point.ts";
import { type GroupOperation, type GroupProtocol, isGroupOperation } from "../metering/group.ts";
import type { Operation } from "../metering/operation.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Random } from "../ports/random.ts";
import type { ActiveEpoch } from "./counter-desk.ts";
import { type Failure, failureOf } from "./failure-of.ts";
import type { ProfileSource } from "./profiles.ts";
import type { Stop } from "./task-loop.ts";

/** Points that are served at once. */
const SENDS_MAX = 8;

export type GroupProtocols = (protocol: DeviceProfile["protocol"]) => GroupProtocol | undefined;

/** The sockets to fan-out points. Answers that come by them go to `GroupAnswers`. */
export interface FanOut {
  /**
   * Sends one whole APDU there, once, and listens for answers until then (clock ms). Throws `LinkError` where nothing was
   * sent, or may not have been.
   */
  send(point: FanOutPoint, apdu: Uint8Array, until: number): Promise<void>;
}

/** What a bridge that serves groups has besides. */
export interface GroupPorts {
  readonly keys: GroupKeys;
  readonly requests: GroupRequests;
  readonly protocols: GroupProtocols;
  readonly fanOut: FanOut;
}

export interface GroupSendPorts {
  readonly clock: Clock;
  readonly sessionClock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly profiles: ProfileSource;
  readonly activeEpoch: ActiveEpoch;
  readonly ledger: Pick<Ledger, "slice" | "writeSlice">;
  /** Absent: this bridge serves no groups. */
  readonly groups?: GroupPorts;
}

/** An operation that a group's key authorises; whatever else a job may hold, no bridge composes it. */
const forGroups = (operation: Operation): operation is Operation & GroupOperation => isGroupOperation(operation.kind);

/**
 * Serves the fan-out points of a group slice that are still open: each gets the request's octets, the same whoever sends
 * them and however often. What was sent is written down point by point, so that a successor sends no other point again.
 */
export async function sendToGroup(
  ports: GroupSendPorts,
  job: Job,
  slice: Slice,
  stop: () => Promise<Stop | undefined>,
): Promise<Stop | undefined> {
  const key = { jobId: slice.jobId, segment: slice.segment, part: slice.part };
  const { generation } = slice;
  const told = async (slots: readonly number[], failure?: Failure): Promise<void> => {
    const outcome = failure === undefined ? ({ kind: "done" } as const) : ({ kind: "failed", ...failure } as const);
    const reports = slots.map((slot) => ({ slot, outcome }));
    await recordOutcomes(ports, key, { generation, passOver: false }, reports, job.retry);
  };
  const open = slotsIn(slice.slots, "open");
  const stopped = await stop();
  if (stopped !== undefined) return stopped;
  let request: SentGroupRequest;
  try {
    request = await requestOf(ports, job);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    await told(open, failureOf(error, false));
    return undefined;
  }
  let ended: Stop | undefined;
  await eachOf(open, SENDS_MAX, async (slot) => {
    ended ??= await stop();
    const point = request.points[slot];
    if (ended !== undefined || point === undefined) return;
    try {
      await ports.groups?.fanOut.send(point, request.apdu, windowEnd(job));
    } catch (error) {
      return told([slot], failureOf(error, false));
    }
    await told([slot]);
  });
  return ended;
}

/** The job's request: as it was sent before, or a new one, which is written down before anybody sends it. */
async function requestOf(ports: GroupSendPorts, job: Job): Promise<SentGroupRequest> {
  const { groups, crypto } = ports;
  const { operation, groupRoute: accepted } = job;
  if (!forGroups(operation) || accepted === undefined)
    throw new SessionError("unsafe", "group.not-authorised", "a group's key authorises reads and time alone");
  if (groups === undefined)
    throw new SessionError("unsupported", "group.none", "this headend's bridges serve no groups");
  const there = await groups.requests.ofJob(job.jobId);
  if (there !== undefined) return there;
  const found = await groups.keys.open(accepted.name);
  if (found?.route.version !== accepted.version)
    throw new SessionError(
      "unsupported",
      "group.route-changed",
      "the group route is not what the job was accepted for",
    );
  const { route, key } = found;
  const { name, version } = route.profile;
  const profile = await ports.profiles(name, version);
  const protocol = profile && groups.protocols(profile.protocol);
  if (profile === undefined || protocol === undefined)
    throw new SessionError("unsupported", "group.profile", `expected a device profile ${name} that groups can have`);
  const drawn = await draw(ports, groups.requests);
  const request = { groupTitle: route.title, ...drawn, operation };
  return groups.requests.keep({
    jobId: job.jobId,
    route: route.name,
    groupTitle: route.title,
    ...drawn,
    profile: route.profile,
    points: route.points,
    apdu: protocol.compose(profile, request, key, crypto),
  });
}

async function draw(
  { activeEpoch, sessionClock }: GroupSendPorts,
  requests: GroupRequests,
): Promise<{ readonly invocationId: number; readonly at: number }> {
  try {
    return await requests.draw(await activeEpoch(false), sessionClock.now());
  } catch (error) {
    if (!(error instanceof SessionError) || error.code !== "epoch.stale") throw error;
    return requests.draw(await activeEpoch(true), sessionClock.now());
  }
}
