import { ZodError } from "zod";
import type { AccessItem, AccessStore } from "../jobs/access.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { changeMailbox, type Mail, type Mailboxes, withoutMail } from "../jobs/mailbox.ts";
import { decodeMessage } from "../jobs/messages.ts";
import type { PushReport } from "../jobs/push-message.ts";
import { UplinkMessage } from "../jobs/uplink-message.ts";
import { SessionError } from "../metering/failure.ts";
import { isMailOperation, type Said, type Sleeper, type SleeperProtocol } from "../metering/mailbox.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import type { Registry } from "../registry/registry.ts";
import type { KeyVault } from "../security/key-vault.ts";
import { type ActiveEpoch, counterDesk } from "./counter-desk.ts";
import { jobWatch, runs } from "./job-watch.ts";
import { nodeDirectory } from "./node-directory.ts";
import { failedEnd } from "./perform.ts";
import type { ProfileSource } from "./profiles.ts";
import type { PushBatcher } from "./push-batcher.ts";
import { isSuperseded, SUPERSEDED } from "./put-into-mailbox.ts";
import { type ResultPorts, resultBatcher } from "./result-batcher.ts";
import {
  eventRecord,
  installationField,
  intervalRecord,
  registerRecords,
  type Said as SaidEnd,
  taskReport,
} from "./task-report.ts";

export interface UplinkPorts {
  /** The machine's. */
  readonly clock: Clock;
  /** Meter time. */
  readonly sessionClock: Clock;
  readonly crypto: Crypto;
  readonly access: AccessStore;
  readonly activeEpoch: ActiveEpoch;
  readonly registry: Pick<Registry, "claims" | "meters">;
  readonly profiles: ProfileSource;
  readonly vault: Pick<KeyVault, "open">;
  readonly ledger: Pick<Ledger, "job">;
  readonly mailboxes: Mailboxes;
  readonly protocols: readonly SleeperProtocol[];
  readonly results: Pick<ResultPorts, "queue" | "batches">;
  readonly pushes: Pick<PushBatcher, "add">;
  /** Hands a message to the broker for one endpoint. */
  readonly send: (thing: string, octets: Uint8Array) => Promise<void>;
  /** Unique to this run of the bridge, and to its uplinks. */
  readonly bridgeId: string;
}

/** `malformed`: nobody can make anything of it. */
export type UplinkEnd =
  | { readonly kind: "told" | "answered" }
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "malformed"; readonly reason: string };

export interface Uplinks {
  /** One message of the queue. Rejects for what is worth another delivery. */
  receive(body: string): Promise<UplinkEnd>;
  /** What became of uplinks and mails since this was last asked. */
  counts(): Readonly<Record<string, number>> | undefined;
}

/** The endpoint that spoke, with all that verifying it takes. */
interface Speaker {
  readonly item: AccessItem;
  readonly sleeper: Sleeper;
  readonly keyVersion: number;
  readonly protocol: SleeperProtocol;
}

/** Counters that are leased for the mails of one endpoint: one each. */
const MAIL_BLOCK = 32;

const refused = (code: string): UplinkEnd => ({ kind: "refused", code });

/**
 * What endpoints that sleep say, on whichever task the queue brings it. The broker knows under which name they connected;
 * the message itself has to verify under the key of the meter that has this name as its route. What an endpoint says by
 * itself shows that it is awake: what lies in its mailbox is composed and sent at once, with counters and a time of now,
 * since it listens for seconds only. An answer is matched by the invocation id that was written down before the request
 * left; it goes the way of all results, so that it may come twice, late or to another task.
 */
export function uplinks(ports: UplinkPorts): Uplinks {
  const { clock, sessionClock, crypto, mailboxes } = ports;
  const jobs = jobWatch(ports.ledger, clock);
  const directory = nodeDirectory(ports);
  const batches = resultBatcher({ ...ports.results, clock, bridgeId: ports.bridgeId });
  let counted = new Map<string, number>();
  const count = (what: string): void => void counted.set(what, (counted.get(what) ?? 0) + 1);

  const speakerOf = async (title: string, thing: string, protocol: SleeperProtocol): Promise<Speaker | string> => {
    const item = await directory.item(title);
    if (item?.systemTitle === undefined) return "uplink.unknown";
    if (!item.routes.some((route) => route.kind === "sleepy" && route.thing === thing)) return "uplink.other-thing";
    const profile = await ports.profiles(item.profile.name, item.profile.version);
    if (profile?.protocol !== protocol.protocol) return "uplink.other-protocol";
    const { sealedKeys } = item;
    if (sealedKeys === undefined) return "uplink.no-keys";
    const { blob, version } = sealedKeys;
    const keys = await ports.vault.open({ meterId: item.meterId, purpose: "meter-keys", version }, blob);
    return { item, sleeper: { title: item.systemTitle, profile, keys }, keyVersion: version, protocol };
  };

  /** When the broker took it, on the clock of meters: the queue may have kept it since. */
  const heardAt = ({ at }: UplinkMessage): number => sessionClock.now() - Math.max(0, clock.now() - at);

  const report = async ({ item }: Speaker, mail: Mail, end: SaidEnd, at = sessionClock.now()): Promise<void> => {
    const { jobId: job, part, lane } = mail;
    const out = batches.open(lane, { v: 1, job, segment: item.segment, part, generation: 1 });
    out.add(taskReport(item, 1, at, end), true);
    await out.finish(false);
  };
  const remove = async ({ item }: Speaker, { jobId }: Mail): Promise<void> =>
    void (await changeMailbox(mailboxes, item, item.meterId, clock.now(), withoutMail(jobId)));

  const answered = async (speaker: Speaker, invocationId: number, message: UplinkMessage): Promise<UplinkEnd> => {
    const { payload: octets } = message;
    const { item, sleeper, protocol } = speaker;
    const { mails } = await mailboxes.read(item, item.meterId);
    const mail = mails.find(({ sent }) => sent?.invocationId === invocationId);
    if (mail?.sent === undefined) return refused("uplink.no-such-mail");
    const job = await jobs.job(mail.jobId);
    if (!runs(job) || !isMailOperation(job.operation)) {
      await remove(speaker, mail);
      return refused("uplink.job-ended");
    }
    const { name, version } = mail.sent.profile;
    const profile: DeviceProfile = (await ports.profiles(name, version)) ?? sleeper.profile;
    const request = { ...mail.sent, operation: job.operation };
    const frameDigest = toHex(crypto.hash("sha256", octets));
    let end: SaidEnd;
    try {
      const result = await protocol.open(octets, { ...sleeper, profile }, request, crypto);
      end = { kind: "done", result, frameDigest };
    } catch (error) {
      // What does not verify is not the endpoint's: it ends nothing.
      if (!(error instanceof SessionError) || error.reason === "auth") throw error;
      end = { ...failedEnd(error, true), frameDigest };
    }
    await report(speaker, mail, end, heardAt(message));
    await remove(speaker, mail);
    return { kind: "answered" };
  };

  /** Sends one mail; its invocation id is written down before the first octet leaves. */
  const post = async (speaker: Speaker, thing: string, mail: Mail): Promise<void> => {
    const { item, sleeper, protocol } = speaker;
    const job = await jobs.job(mail.jobId);
    if (!runs(job) || !isMailOperation(job.operation)) return remove(speaker, mail);
    const desk = counterDesk(ports.access, ports.activeEpoch, clock, item.segment, MAIL_BLOCK);
    const lease = await desk.lease();
    const now = await ports.access.read(item);
    if (now === undefined || now.meterId !== item.meterId) return;
    const { look, source } = await desk.countersFor({ item: now, lease }, undefined);
    if (look.item.hold !== undefined && look.item.hold.until > clock.now()) return; // at the next wake
    if (isSuperseded(job, look.item)) {
      await report(speaker, mail, SUPERSEDED);
      return remove(speaker, mail);
    }
    const invocationId = source.next() || source.next();
    const sent = { invocationId, at: sessionClock.now(), profile: { ...item.profile } };
    let octets: Uint8Array;
    try {
      octets = protocol.compose(sleeper, { ...sent, operation: job.operation }, crypto);
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      await report(speaker, mail, failedEnd(error, false));
      return remove(speaker, mail);
    }
    const written = await changeMailbox(mailboxes, item, item.meterId, clock.now(), (mails) =>
      mails.some(({ jobId }) => jobId === mail.jobId)
        ? mails.map((one) => (one.jobId === mail.jobId ? { ...one, sent } : one))
        : undefined,
    );
    if (written?.mails.some((one) => one.sent?.invocationId === invocationId) !== true) return;
    await ports.send(thing, octets);
    count("mail-sent");
  };

  const deliver = async (speaker: Speaker, { thing, at }: UplinkMessage): Promise<void> => {
    const { item, sleeper, protocol } = speaker;
    const listensMs = protocol.listensMs(sleeper.profile) ?? 0;
    if (clock.now() - at > listensMs) return count("asleep-again"); // the queue kept it too long
    const { mails } = await mailboxes.read(item, item.meterId);
    for (const mail of mails) {
      const isUnderWay = mail.sent !== undefined && sessionClock.now() - mail.sent.at < listensMs;
      if (mail.deadline <= clock.now() || isUnderWay) continue;
      // A mail that could not be sent waits for the next wake: the window would be over before another delivery.
      await post(speaker, thing, mail).catch((error: unknown) => count(codeOf(error)));
    }
  };

  const told = async (speaker: Speaker, said: Said, message: UplinkMessage, body: string): Promise<UplinkEnd> => {
    const { item, keyVersion } = speaker;
    const intervals = said.intervals.map(intervalRecord);
    const report: PushReport = {
      slot: item.slot,
      meterId: item.meterId,
      proof: { ...said.proof, version: keyVersion },
      transport: "mqtt",
      // The broker's own time is in it: however often the queue delivers it, it is the same, and a replay is not.
      delivery: toHex(crypto.hash("sha256", new TextEncoder().encode(body))),
      receivedAt: heardAt(message),
      sentAt: said.sentAt,
      profile: { ...item.profile },
      frameDigest: toHex(crypto.hash("sha256", message.payload)),
      ...(said.registers.length === 0 ? {} : { registers: registerRecords(said.registers) }),
      ...(intervals.length === 0 ? {} : { intervals, ...installationField(item, intervals) }),
      ...(said.events.length === 0 ? {} : { events: said.events.map(eventRecord) }),
    };
    await ports.pushes.add(item.segment, report, true); // the uplink's own message is kept until then
    return { kind: "told" };
  };

  const receive = async (body: string): Promise<UplinkEnd> => {
    const message = decodeMessage(UplinkMessage, body);
    const { payload, thing } = message;
    for (const protocol of ports.protocols) {
      const hint = protocol.whose(payload);
      if (hint === undefined) continue;
      const speaker = await speakerOf(hint.title, thing, protocol);
      if (typeof speaker === "string") return refused(speaker);
      if (hint.answers !== undefined) return answered(speaker, hint.answers, message);
      const said = await protocol.said(payload, speaker.sleeper, crypto);
      await deliver(speaker, message);
      return told(speaker, said, message, body);
    }
    return refused("uplink.no-message");
  };

  return {
    async receive(body) {
      const end = await receive(body).catch((error: unknown): UplinkEnd => {
        if (error instanceof SessionError) return refused(error.code);
        if (error instanceof ZodError || error instanceof SyntaxError)
          return { kind: "malformed", reason: error.message.replaceAll(/\s+/g, " ").slice(0, 500) };
        throw error;
      });
      count(end.kind === "refused" ? end.code : end.kind);
      return end;
    },
    counts() {
      const all = counted;
      counted = new Map();
      return all.size === 0 ? undefined : Object.fromEntries(all);
    },
  };
}

/** Of what a table, the vault or the broker throws. */
const codeOf = (error: unknown): string => (error instanceof HeadraceError ? error.code : "mail.not-sent");
