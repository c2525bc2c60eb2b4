import { batchReference } from "../jobs/batches.ts";
import { eachOf } from "../jobs/concurrency.ts";
import type { TaskReport } from "../jobs/messages.ts";
import type { PushReport } from "../jobs/push-message.ts";
import { HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import {
  judgePush,
  type PushCounters,
  type PushKey,
  type PushVerdict,
  type PushWindow,
  pushKeyText,
} from "../security/push-window.ts";
import type { IngestFacts, IngestPorts, ReceivedBatch } from "./ingest-batch.ts";
import { keepReports } from "./keep-reports.ts";

/** Of a batch of pushes: taken for the first time, delivered again, too late to tell, refused. */
export type PushFacts = Record<PushVerdict["kind"], number>;

const TRIES = 12;
const WRITES_MAX = 24;

interface Numbered {
  readonly push: PushReport;
  /** Names the report: eight octets as hex. */
  readonly report: string;
}
interface OfMeter {
  readonly key: PushKey;
  readonly pushes: readonly Numbered[];
}

/**
 * What meters said by themselves: evidence; then their counters, each taken under condition by the report that brings it;
 * then what the reports bring, as of a read. A report that is delivered again meets itself and is gone through again; one
 * that meets another report's counter is a replay: refused, with an alarm on the meter's timeline. No ledger is touched.
 */
export async function ingestPushes(
  ports: IngestPorts,
  { envelope, pushes, bad, text }: ReceivedBatch<"pushes">,
): Promise<IngestFacts> {
  const { pushes: counters, crypto } = ports;
  if (counters === undefined)
    throw new HeadraceError("push.no-counters", "expected a store of the counters of pushes", { retry: "never" });
  if (text !== undefined) await ports.batches.putText(envelope, text);
  const reference = batchReference(crypto, envelope);
  const nameOf = (index: number, { delivery = `${reference}#${index}` }: PushReport): string =>
    toHex(crypto.hash("sha256", new TextEncoder().encode(delivery)).subarray(0, 8));
  const verdicts = await takeCounters(
    counters,
    pushes.map(({ index, push }) => ({ push, report: nameOf(index, push) })),
  );
  const facts: PushFacts = { new: 0, again: 0, late: 0, replayed: 0 };
  for (const { kind } of verdicts) facts[kind]++;
  const reports = verdicts.map(({ kind, push }) => (kind === "replayed" ? replayAlarm(push) : reportOf(push)));
  const kept = await keepReports(ports, {
    segment: envelope.segment,
    reference,
    job: undefined,
    sentAt: envelope.sentAt,
    reports,
  });
  return {
    segment: envelope.segment,
    batch: reference,
    reports: pushes.length + bad.length,
    bad: [...bad, ...kept.bad],
    readings: kept.facts,
    outcomes: { ended: 0, noted: 0, unverified: 0, unproved: [], duplicate: 0, late: 0, closed: 0 },
    pushes: facts,
  };
}

type Judged = { readonly kind: PushVerdict["kind"]; readonly push: PushReport };

async function takeCounters(counters: PushCounters, pushes: readonly Numbered[]): Promise<Judged[]> {
  const meters = new Map<string, { key: PushKey; pushes: Numbered[] }>();
  for (const one of pushes) {
    const { meterId, proof } = one.push;
    const key = { meterId, key: proof.key, version: proof.version };
    const known = meters.get(pushKeyText(key));
    if (known === undefined) meters.set(pushKeyText(key), { key, pushes: [one] });
    else known.pushes.push(one);
  }
  const groups = [...meters.values()];
  const stored = await counters.read(groups.map(({ key }) => key));
  const judged = new Map<PushReport, PushVerdict["kind"]>();
  await eachOf([...groups.entries()], WRITES_MAX, async ([at, group]) => {
    const there = stored[at];
    if (there === undefined) return;
    for (const [push, kind] of await takeOfMeter(counters, group, there)) judged.set(push, kind);
  });
  return pushes.map(({ push }) => ({ push, kind: judged.get(push) ?? "replayed" }));
}

/** One write a meter, however many of its pushes a batch holds. */
async function takeOfMeter(
  counters: PushCounters,
  { key, pushes }: OfMeter,
  first: { readonly window: PushWindow; readonly version: number },
): Promise<ReadonlyMap<PushReport, PushVerdict["kind"]>> {
  let there = first;
  for (let tries = 0; tries < TRIES; tries++) {
    const kinds = new Map<PushReport, PushVerdict["kind"]>();
    let { window } = there;
    for (const { push, report } of pushes) {
      const { counter } = push.proof;
      const verdict = judgePush(window, { counter, report, receivedAt: push.receivedAt });
      kinds.set(push, verdict.kind);
      if (verdict.kind === "new") window = verdict.next;
    }
    if (window === there.window || (await counters.write(key, window, there.version)) === "written") return kinds;
    const [again] = await counters.read([key]);
    if (again !== undefined) there = again;
  }
  throw new HeadraceError("push.contended", `expected to take the counters of a meter within ${TRIES} tries`, {
    retry: "later",
    detail: { meterId: key.meterId },
  });
}

/** A push in the words of a task's report, so that it goes the same way from here. */
function reportOf({ slot, meterId, receivedAt: at, ...rest }: PushReport): TaskReport {
  const { sentAt: saidAt, profile, frameDigest, registers, intervals, events, clockOffsetMs, installedAt } = rest;
  return {
    slot,
    meterId,
    attempt: 1,
    at,
    ...(saidAt === undefined ? {} : { saidAt }),
    outcome: { kind: "done" },
    profile,
    frameDigest,
    ...(registers === undefined ? {} : { registers }),
    ...(intervals === undefined ? {} : { intervals }),
    ...(events === undefined ? {} : { events }),
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    ...(installedAt === undefined ? {} : { installedAt }),
  };
}

/** Of a replay only this is kept. The same report again is the same event. */
const replayAlarm = ({ slot, meterId, receivedAt: at, proof, frameDigest }: PushReport): TaskReport => ({
  slot,
  meterId,
  attempt: 1,
  at,
  // Nothing that the meter has said now: whoever counts exchanges does not count this one.
  outcome: { kind: "failed", reason: "auth", code: "push.replayed", retry: "never" },
  events: [
    { at, e: "security.push-replayed", log: "headend", code: proof.counter.toString(), arg: frameDigest.slice(0, 64) },
  ],
});
