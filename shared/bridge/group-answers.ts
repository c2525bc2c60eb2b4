import { enrolledForms } from "../c1222/ap-title.ts";
import type { AccessItem, AccessStore } from "../jobs/access.ts";
import { piecesOf } from "../jobs/concurrency.ts";
import type { GroupRequests, SentGroupRequest } from "../jobs/group-request.ts";
import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { type GroupAnswerHint, type GroupOperation, type GroupProtocol, isGroupOperation } from "../metering/group.ts";
import type { MeterId } from "../metering/meter.ts";
import { type Operation, replayClass } from "../metering/operation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import type { Registry } from "../registry/registry.ts";
import type { KeyVault } from "../security/key-vault.ts";
import { jobWatch, runs } from "./job-watch.ts";
import type { ProfileSource } from "./profiles.ts";
import { type ResultPorts, resultBatcher } from "./result-batcher.ts";
import { taskReport } from "./task-report.ts";

export interface GroupAnswerPorts {
  /** The machine's. */
  readonly clock: Clock;
  /** Meter time: when an answer came. */
  readonly sessionClock: Clock;
  readonly crypto: Crypto;
  readonly access: Pick<AccessStore, "readMany">;
  readonly registry: Pick<Registry, "claims" | "meters">;
  readonly profiles: ProfileSource;
  readonly vault: Pick<KeyVault, "open">;
  readonly ledger: Pick<Ledger, "job">;
  readonly requests: Pick<GroupRequests, "byInvocationId">;
  readonly protocols: readonly GroupProtocol[];
  readonly results: Pick<ResultPorts, "queue" | "batches">;
  /** Unique to this run of the bridge, and to its group answers. */
  readonly bridgeId: string;
}

/** Where whole messages go that no conversation of this task has asked for. */
export interface GroupAnswers {
  /** False: it does not look like an answer to a group request. Never throws. */
  receive(octets: Uint8Array): boolean;
  /** What became of answers since this was last asked: `taken`, or why not. */
  counts(): Readonly<Record<string, number>> | undefined;
  /** Reports what was taken. Resolves when nothing is under way any more. */
  drain(): Promise<void>;
}

/** Answers that wait to be looked at; more are passed over, and their meters asked by themselves. */
const WAITING_MAX = 10_000;
/** Answers that are looked at together, and how long the first one waits for company, ms. */
const TOGETHER = 100;
const GATHER_MS = 100;
/** Reports of one segment are sent together, when there are so many or so old, ms: nobody waits for them. */
const REPORTS = 100;
const REPORT_MS = 5_000;
/** How often a title may be looked at for one request: strangers who say it must not cost more. */
const TRIES = 3;
const TITLES_MAX = 200_000;
/** Requests whose titles are remembered. */
const REQUESTS_MAX = 64;
/** Requests that are known, and ids that nobody has sent: for so long, ms, and so many. */
const KNOWN_MS = 10_000;
const KNOWN_MAX = 1_000;
/** Look-ups of invocation ids within a minute. */
const LOOKUPS_MAX = 600;
const MINUTE_MS = 60_000;

interface Waiting extends GroupAnswerHint {
  readonly octets: Uint8Array;
  readonly protocol: GroupProtocol;
}
interface Known {
  readonly at: number;
  readonly request: Promise<SentGroupRequest | undefined>;
}
/** Reports of one segment of one job on their way out. */
interface Leaving {
  readonly job: Job;
  readonly segment: number;
  readonly since: number;
  readonly reports: TaskReport[];
}
type Asked = SentGroupRequest & { readonly job: Job; readonly operation: Operation & GroupOperation };

const asksGroups = (operation: Operation): operation is Operation & GroupOperation => isGroupOperation(operation.kind);

/**
 * Answers to group requests, on whichever task they arrive. What an answer says of itself tells only which request it may
 * answer and whose keys to ask for: it counts when it is verified as the enrolled meter's, under that meter's own keys,
 * and answers a request that this deployment sent. It then closes the meter's slot by the ordinary way of results, so that
 * an answer that comes twice, late, or to two tasks changes nothing. What cannot be verified closes nothing.
 */
export function groupAnswers(ports: GroupAnswerPorts): GroupAnswers {
  const { clock } = ports;
  const jobs = jobWatch(ports.ledger, clock);
  const batches = resultBatcher({ ...ports.results, clock, bridgeId: ports.bridgeId });
  let waiting: Waiting[] = [];
  let looking: Promise<void> | undefined;
  const known = new Map<number, Known>();
  let lookups = { minute: -1, count: 0 };
  /** By invocation id, then title: how often it was looked at; for ever, once it was taken. */
  const titles = new Map<number, Map<string, number>>();
  const leaving = new Map<string, Leaving>();
  const sending = new Set<Promise<void>>();
  let isSending = false;
  let draining = false;
  let counted = new Map<string, number>();
  const count = (what: string, by = 1): void => {
    if (by > 0) counted.set(what, (counted.get(what) ?? 0) + by);
  };

  const requestOf = (invocationId: number): Promise<SentGroupRequest | undefined> => {
    const now = clock.now();
    const there = known.get(invocationId);
    if (there !== undefined && now - there.at < KNOWN_MS) return there.request;
    const minute = Math.floor(now / MINUTE_MS);
    lookups = { minute, count: lookups.minute === minute ? lookups.count + 1 : 1 };
    if (lookups.count > LOOKUPS_MAX) return Promise.resolve(undefined);
    if (known.size >= KNOWN_MAX) for (const [id, { at }] of known) if (now - at >= KNOWN_MS) known.delete(id);
    if (known.size >= KNOWN_MAX) return Promise.resolve(undefined);
    const request = ports.requests.byInvocationId(invocationId);
    const fresh = { at: now, request };
    known.set(invocationId, fresh);
    request.catch(() => {
      if (known.get(invocationId) === fresh) known.delete(invocationId);
    });
    return request;
  };

  /** The request that an answer may belong to, while its job still has open tasks. */
  const askedBy = async (invocationId: number): Promise<Asked | string> => {
    const request = await requestOf(invocationId);
    if (request === undefined) return "no-such-request";
    const job = await jobs.job(request.jobId);
    if (!runs(job)) {
      titles.delete(invocationId);
      return "job-ended";
    }
    const { operation } = job;
    return asksGroups(operation) ? { ...request, job, operation } : "not-for-groups";
  };

  /** False: it was taken already, or tried too often. */
  const mayLook = ({ invocationId, title }: GroupAnswerHint): boolean => {
    const seen = titles.get(invocationId) ?? new Map<string, number>();
    titles.set(invocationId, seen);
    for (const oldest of titles.keys()) if (titles.size > REQUESTS_MAX) titles.delete(oldest);
    const tries = (seen.get(title) ?? 0) + 1;
    if (tries > TRIES || (tries === 1 && seen.size >= TITLES_MAX)) return false;
    seen.set(title, tries);
    return true;
  };
  const take = ({ invocationId, title }: GroupAnswerHint): boolean => {
    const seen = titles.get(invocationId);
    if (seen?.get(title) === Number.POSITIVE_INFINITY) return false;
    seen?.set(title, Number.POSITIVE_INFINITY);
    return true;
  };

  /** The enrolled meters of these titles, by title, as their access items say now. */
  const membersOf = async (asked: readonly string[]): Promise<ReadonlyMap<string, AccessItem>> => {
    const forms = asked.flatMap((title) => enrolledForms(title).map((value) => ({ title, value })));
    const claims = await ports.registry.claims(forms.map(({ value }) => ({ kind: "title", value })));
    const titleOf = new Map<MeterId, string>();
    for (const [index, { title }] of forms.entries()) {
      const claim = claims[index];
      if (claim !== undefined) titleOf.set(claim.meterId, title);
    }
    const meters = [...(await ports.registry.meters([...titleOf.keys()])).values()];
    const enrolled = meters.filter(({ state }) => state === "enrolled");
    const found = new Map<string, AccessItem>();
    for (const [segment, placed] of Map.groupBy(enrolled, ({ place }) => place.segment)) {
      const items = await ports.access.readMany(
        segment,
        placed.map(({ place }) => place.slot),
      );
      for (const item of items) {
        const title = titleOf.get(item.meterId);
        if (title !== undefined) found.set(title, item);
      }
    }
    return found;
  };

  /** Verified under the meter's own keys; a string: why it does not count. */
  const opened = async (answer: Waiting, asked: Asked, item: AccessItem): Promise<TaskReport | string> => {
    const { name, version } = item.profile;
    if (name !== asked.profile.name || version !== asked.profile.version) return "other-profile";
    const profile = await ports.profiles(name, version);
    if (profile === undefined || item.systemTitle === undefined) return "no-profile";
    const { meterId, sealedKeys } = item;
    const keys =
      sealedKeys &&
      (await ports.vault.open({ meterId, purpose: "meter-keys", version: sealedKeys.version }, sealedKeys.blob));
    const member = { title: item.systemTitle, profile, keys };
    const result = await answer.protocol.open(answer.octets, member, asked, ports.crypto);
    const frameDigest = toHex(ports.crypto.hash("sha256", answer.octets));
    return taskReport(item, 1, ports.sessionClock.now(), { kind: "done", result, frameDigest });
  };

  const leave = (job: Job, segment: number, report: TaskReport): void => {
    const name = `${job.jobId}#${segment}`;
    const there = leaving.get(name) ?? { job, segment, since: clock.now(), reports: [] };
    leaving.set(name, there);
    there.reports.push(report);
    if (there.reports.length >= REPORTS) send(name, there);
    if (!isSending) void sendOld();
  };
  const send = (name: string, { job, segment, reports }: Leaving): void => {
    leaving.delete(name);
    const out = batches.open(job.lane, { v: 1, job: job.jobId, segment, part: 0, generation: 1 });
    for (const report of reports) out.add(report, true);
    const sent = out.finish(false).then(
      () => count("reported", reports.length),
      () => count("not-reported", reports.length), // their meters are asked by themselves
    );
    sending.add(sent);
    void sent.finally(() => sending.delete(sent));
  };
  const sendOld = async (): Promise<void> => {
    isSending = true;
    while (leaving.size > 0) {
      await clock.sleep(REPORT_MS / 5);
      const now = clock.now();
      for (const [name, one] of leaving) if (draining || now - one.since >= REPORT_MS) send(name, one);
    }
    isSending = false;
  };

  const lookAt = async (answers: readonly Waiting[]): Promise<void> => {
    for (const [invocationId, ofRequest] of Map.groupBy(answers, (answer) => answer.invocationId)) {
      const asked = await askedBy(invocationId);
      if (typeof asked === "string") {
        count(asked, ofRequest.length);
        continue;
      }
      const first = ofRequest.filter(mayLook);
      count("again", ofRequest.length - first.length);
      const members = await membersOf([...new Set(first.map(({ title }) => title))]);
      for (const answer of first) {
        const item = members.get(answer.title);
        const report = item === undefined ? "unknown" : await opened(answer, asked, item).catch(codeOf);
        if (item === undefined || typeof report === "string") {
          count(typeof report === "string" ? report : "unknown");
          continue;
        }
        if (!take(answer)) {
          count("again");
          continue;
        }
        // What a change comes to is proved by asking the meter itself, after the window.
        if (replayClass(asked.operation) !== "read") {
          count("acknowledged");
          continue;
        }
        count("taken");
        leave(asked.job, item.segment, report);
      }
    }
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      if (waiting.length < TOGETHER && !draining) await clock.sleep(GATHER_MS);
      const all = waiting;
      waiting = [];
      for (const piece of piecesOf(all, TOGETHER))
        await lookAt(piece).catch((error: unknown) => count(codeOf(error), piece.length));
    }
  };

  return {
    receive(octets) {
      for (const protocol of ports.protocols) {
        const hint = protocol.whose(octets);
        if (hint === undefined) continue;
        if (waiting.length >= WAITING_MAX) count("too-many");
        else waiting.push({ ...hint, title: hint.title.toLowerCase(), octets: octets.slice(), protocol });
        looking ??= work().finally(() => {
          looking = undefined;
        });
        return true;
      }
      return false;
    },
    counts() {
      const told = counted;
      counted = new Map();
      return told.size === 0 ? undefined : Object.fromEntries(told);
    },
    async drain() {
      draining = true;
      while (looking !== undefined) await looking;
      for (const [name, one] of [...leaving]) send(name, one);
      await Promise.all(sending);
    },
  };
}

/** Of what a driver, the vault or a table throws. */
const codeOf = (error: unknown): string => (error instanceof HeadraceError ? error.code : "fault");
