import { z } from "zod";
import type { Written } from "../jobs/ledger.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import { seedOf } from "../ports/random.ts";

/** Chains that entries are spread over, by meter or actor. */
export const AUDIT_CHAINS = 64;

/** Who did what to whom, and why. Instants are clock ms. */
export const AuditEntry = z.strictObject({
  at: z.int(),
  by: z.strictObject({ id: z.string(), name: z.string().optional() }),
  /** A dotted word: `order.intent`, `order.outcome`, `stop.set`, `job.approved`. */
  action: z.string().regex(/^[a-z]+(\.[a-z-]+)+$/),
  meterId: z.string().optional(),
  jobId: z.string().optional(),
  reason: z.string().max(500).optional(),
  detail: z.record(z.string().max(32), z.string().max(256)).optional(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An entry in its chain: bound to everything before it by the hash of the link before. */
export const AuditLink = z.strictObject({
  chain: z
    .int()
    .min(0)
    .max(AUDIT_CHAINS - 1),
  /** From 1, without gaps. */
  seq: z.int().min(1),
  /** Hash of link `seq - 1`; of the first one: 64 zeros. */
  previous: z.string().regex(/^[0-9a-f]{64}$/),
  entry: AuditEntry,
  /** SHA-256 over chain, seq, previous and entry. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditLink = z.infer<typeof AuditLink>;
const FIRST = "0".repeat(64);

/** Links as stored: append only. */
export interface AuditStore {
  /** The last link of a chain; strongly consistent. */
  last(chain: number): Promise<AuditLink | undefined>;
  /** If there is none of that number. */
  put(link: AuditLink): Promise<Written>;
  /** Links of a chain from `seq` on, in order. */
  from(chain: number, seq: number): AsyncIterable<AuditLink>;
}

/** Where whatever changes a meter, or what may be done to one, is written before it happens. */
export interface AuditLog {
  /** Throws when it cannot be written: then nothing may be done. */
  append(entry: AuditEntry): Promise<void>;
}

export const chainOf = ({ meterId, by }: Pick<AuditEntry, "meterId" | "by">): number =>
  seedOf(meterId ?? by.id) % AUDIT_CHAINS;

/** The same text for the same entry, whatever order its fields have in memory. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${fields
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`)
    .join(",")}}`;
}

/** Over everything of a link but its hash. */
export const linkHash = (crypto: Crypto, { chain, seq, previous, entry }: Omit<AuditLink, "hash">): string =>
  toHex(crypto.hash("sha256", new TextEncoder().encode(canonical({ chain, seq, previous, entry }))));

/** The link that follows `last` in a chain. */
export function linkAfter(crypto: Crypto, chain: number, last: AuditLink | undefined, entry: AuditEntry): AuditLink {
  const body = { chain, seq: (last?.seq ?? 0) + 1, previous: last?.hash ?? FIRST, entry };
  return { ...body, hash: linkHash(crypto, body) };
}

/** The first link of a chain that does not follow the one before it; undefined: all do. */
export async function brokenLink(
  crypto: Crypto,
  links: AsyncIterable<AuditLink>,
  chain: number,
): Promise<AuditLink | undefined> {
  let last: AuditLink | undefined;
  for await (const link of links) {
    const expected = linkAfter(crypto, chain, last, link.entry);
    if (link.seq !== expected.seq || link.previous !== expected.previous || link.hash !== expected.hash) return link;
    last = link;
  }
  return undefined;
}

/** Whom entries are about: a meter, or who acted. */
export type AuditAbout = { readonly meterId: string } | { readonly by: string };

export const chainAbout = (about: AuditAbout): number =>
  seedOf("meterId" in about ? about.meterId : about.by) % AUDIT_CHAINS;

/**
 * The last entries about somebody, newest first, and whether the chain that they lie in is whole, with the link in it that
 * was sealed. Reads the chain: a 64th of the audit.
 */
export async function recentEntries(
  crypto: Crypto,
  store: Pick<AuditStore, "from">,
  about: AuditAbout,
  limit: number,
  sealed?: Pick<AuditLink, "seq" | "hash">,
): Promise<{ readonly links: readonly AuditLink[]; readonly intact: boolean }> {
  const meter = "meterId" in about;
  const chain = chainAbout(about);
  const links: AuditLink[] = [];
  const matches = ({ entry }: AuditLink): boolean =>
    meter ? entry.meterId === about.meterId : entry.by.id === about.by && entry.meterId === undefined;
  let stands = sealed === undefined;
  const watched = async function* (): AsyncGenerator<AuditLink> {
    for await (const link of store.from(chain, 1)) {
      if (matches(link)) links.push(link);
      if (link.seq === sealed?.seq) stands = link.hash === sealed.hash;
      if (links.length > limit) links.shift();
      yield link;
    }
  };
  const broken = await brokenLink(crypto, watched(), chain);
  return { links: links.reverse(), intact: broken === undefined && stands };
}

const TRIES = 20;
const PAUSE_MS = 5;

/** Appends by `put seq + 1 if absent`; entries of one chain of this process follow one another without conflict. */
export function auditLog({
  store,
  crypto,
  clock,
}: {
  readonly store: Pick<AuditStore, "last" | "put">;
  readonly crypto: Crypto;
  readonly clock: Pick<Clock, "sleep">;
}): AuditLog {
  const lasts = new Map<number, AuditLink>();
  const turns = new Map<number, Promise<unknown>>();
  const write = async (chain: number, entry: AuditEntry): Promise<void> => {
    for (let tries = 1; tries <= TRIES; tries++) {
      const last = lasts.get(chain) ?? (await store.last(chain));
      const link = linkAfter(crypto, chain, last, entry);
      try {
        if ((await store.put(link)) === "written") {
          lasts.set(chain, link);
          return;
        }
      } catch (error) {
        lasts.delete(chain); // it may lie there or not
        throw error;
      }
      lasts.delete(chain); // somebody else has appended
      await clock.sleep(PAUSE_MS * tries);
    }
    throw new HeadraceError("audit.contended", `expected to append to audit chain ${chain}`, { retry: "later" });
  };
  return {
    append(entry) {
      const chain = chainOf(entry);
      const turn = (turns.get(chain) ?? Promise.resolve()).then(
        () => write(chain, entry),
        () => write(chain, entry),
      );
      turns.set(chain, turn);
      return turn;
    },
  };
}
