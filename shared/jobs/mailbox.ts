import { z } from "zod";
import { MeterId, type Place } from "../metering/meter.ts";
import { JobId } from "./job.ts";
import { Lane } from "./lane.ts";

/**
 * Something that an endpoint that sleeps is asked, while it waits for the endpoint to wake: which task it is of, and, once
 * it has been sent, what the answer is matched with. A record, so that whichever bridge task hears the endpoint sends it,
 * and whichever hears the answer knows it.
 */
export const Mail = z.strictObject({
  jobId: JobId,
  part: z.int().min(0),
  lane: Lane,
  /** Of the slice, clock ms: from then on it is not sent any more. */
  deadline: z.int(),
  /** Each wake in which there was no answer makes another one. */
  sent: z
    .strictObject({
      invocationId: z.int().min(1),
      /** Clock ms: what the request says of its time. */
      at: z.int(),
      profile: z.strictObject({ name: z.string(), version: z.int() }),
    })
    .optional(),
});
export type Mail = z.infer<typeof Mail>;

/** What lies in the mailbox of one endpoint. */
export const Mailbox = z.strictObject({
  /** Whose it is: a slot may become another's. */
  meterId: MeterId,
  /** Rises with every write; 0: it was never written. */
  version: z.int().min(0),
  mails: z.array(Mail).max(16),
});
export type Mailbox = z.infer<typeof Mailbox>;

/** More wait for their turn: their tasks put them in when they are looked at again. */
export const MAILS_MAX = 8;

/** Mailboxes as stored; keys of the items live in `functions/adapters/dynamo-mailboxes.ts`. */
export interface Mailboxes {
  /** Strongly consistent; an empty one where there is none, or another meter's. */
  read(place: Place, meterId: MeterId): Promise<Mailbox>;
  /** Under the version that was read; false: somebody else has written it. */
  write(place: Place, mailbox: Mailbox): Promise<boolean>;
}

export const emptyMailbox = (meterId: MeterId): Mailbox => ({ meterId, version: 0, mails: [] });

const TRIES = 10;

/**
 * Changes a mailbox; `change` answers the mails that it holds then, or undefined to leave it. What is past its deadline
 * goes with every change. Answers the mailbox as it is then; undefined: it was contended.
 */
export async function changeMailbox(
  mailboxes: Mailboxes,
  place: Place,
  meterId: MeterId,
  now: number,
  change: (mails: readonly Mail[]) => readonly Mail[] | undefined,
): Promise<Mailbox | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const there = await mailboxes.read(place, meterId);
    const changed = change(there.mails);
    if (changed === undefined) return there;
    const mails = changed.filter(({ deadline }) => deadline > now);
    if (await mailboxes.write(place, { ...there, mails })) return { ...there, version: there.version + 1, mails };
  }
  return undefined;
}

/** Puts a mail in, once a job; undefined: it lies there, or there is no room. */
export const withMail =
  (mail: Mail) =>
  (mails: readonly Mail[]): readonly Mail[] | undefined =>
    mails.some(({ jobId }) => jobId === mail.jobId) || mails.length >= MAILS_MAX ? undefined : [...mails, mail];

export const withoutMail =
  (jobId: JobId) =>
  (mails: readonly Mail[]): readonly Mail[] | undefined =>
    mails.some((mail) => mail.jobId === jobId) ? mails.filter((mail) => mail.jobId !== jobId) : undefined;

/** Mailboxes in memory, with the same conditions as the real ones. */
export function memoryMailboxes(): Mailboxes {
  const boxes = new Map<string, Mailbox>();
  const nameOf = ({ segment, slot }: Place): string => `${segment}#${slot}`;
  return {
    async read(place, meterId) {
      const there = boxes.get(nameOf(place));
      if (there?.meterId === meterId) return there;
      return { ...emptyMailbox(meterId), version: there?.version ?? 0 };
    },
    async write(place, mailbox) {
      if ((boxes.get(nameOf(place))?.version ?? 0) !== mailbox.version) return false;
      boxes.set(nameOf(place), { ...mailbox, version: mailbox.version + 1 });
      return true;
    },
  };
}
