import { z } from "zod";
import type { Crypto } from "../ports/crypto.ts";
import { concat, fromHex, toHex } from "../ports/octets.ts";
import { AUDIT_CHAINS, AuditLink, type AuditStore, linkAfter, linkHash } from "./audit.ts";

/** The end of a chain. */
export const ChainHead = AuditLink.pick({ chain: true, seq: true, hash: true });
export type ChainHead = z.infer<typeof ChainHead>;

/** What the ends of all chains were at an instant, signed: what it covers cannot be exchanged any more without being seen. */
export const AuditSeal = z.strictObject({
  /** Clock ms. */
  at: z.int(),
  /** Of the chains that have entries, ascending. */
  heads: z.array(ChainHead).max(AUDIT_CHAINS),
  /** Root of the Merkle tree over all 64 chains. */
  root: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of `sealedText`, by the signer's key. Base64. */
  signature: z.string().max(1024),
});
export type AuditSeal = z.infer<typeof AuditSeal>;

/** Signs with a key that nobody can copy. */
export interface SealSigner {
  sign(text: string): Promise<string>;
  verify(text: string, signature: string): Promise<boolean>;
}

/** Where seals lie that nobody can change or remove. */
export interface SealStore {
  /** The newest one. */
  last(): Promise<AuditSeal | undefined>;
  put(seal: AuditSeal): Promise<void>;
}

const NO_HASH = "0".repeat(64);
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Leaves: 0, chain (1 octet), number of the last link (8, big-endian), its hash. Nodes: 1, left, right. All SHA-256. */
export function merkleRoot(crypto: Crypto, heads: readonly ChainHead[]): string {
  const byChain = new Map(heads.map((head) => [head.chain, head]));
  let level = Array.from({ length: AUDIT_CHAINS }, (_, chain) => {
    const { seq, hash } = byChain.get(chain) ?? { seq: 0, hash: NO_HASH };
    const number = new Uint8Array(8);
    new DataView(number.buffer).setBigUint64(0, BigInt(seq));
    return crypto.hash("sha256", concat(LEAF, Uint8Array.of(chain), number, fromHex(hash)));
  });
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, index) =>
      crypto.hash("sha256", concat(NODE, level[2 * index] ?? NODE, level[2 * index + 1] ?? NODE)),
    );
  return toHex(level[0] ?? NODE);
}

const sealedText = ({ at, root }: Pick<AuditSeal, "at" | "root">): string => `headrace audit seal\n${at}\n${root}`;

/** Whether a seal is what was signed. */
export const isGenuine = async (
  crypto: Crypto,
  signer: Pick<SealSigner, "verify">,
  seal: AuditSeal,
): Promise<boolean> =>
  merkleRoot(crypto, seal.heads) === seal.root && (await signer.verify(sealedText(seal), seal.signature));

export interface SealPorts {
  readonly store: Pick<AuditStore, "last" | "from">;
  readonly seals: SealStore;
  readonly signer: SealSigner;
  readonly crypto: Crypto;
}

/** `broken`: chains that do not follow from what was sealed; a seal that is not genuine breaks them all. */
export type Sealing =
  | { readonly kind: "sealed"; readonly links: number }
  | { readonly kind: "unchanged" }
  | { readonly kind: "broken"; readonly chains: readonly number[] };

/**
 * Seals what was appended since the last seal, after it has looked at every new link. What does not follow is not sealed, so
 * that the last genuine seal stays the evidence. Several at once do no harm: each seals what there is.
 */
export async function sealAudit({ store, seals, signer, crypto }: SealPorts, now: number): Promise<Sealing> {
  const last = await seals.last();
  if (last !== undefined && !(await isGenuine(crypto, signer, last)))
    return { kind: "broken", chains: Array.from({ length: AUDIT_CHAINS }, (_, chain) => chain) };
  const sealed = new Map((last?.heads ?? []).map((head) => [head.chain, head]));
  const heads: ChainHead[] = [];
  const broken: number[] = [];
  let links = 0;
  for (let chain = 0; chain < AUDIT_CHAINS; chain++) {
    const before = sealed.get(chain);
    const end = await store.last(chain);
    if (before === undefined && end === undefined) continue;
    const added = end === undefined ? undefined : await followed(crypto, store, chain, before, end.seq);
    if (added === undefined) {
      broken.push(chain);
      continue;
    }
    links += added.links;
    heads.push(added.head);
  }
  if (broken.length > 0) return { kind: "broken", chains: broken };
  if (links === 0) return { kind: "unchanged" };
  const root = merkleRoot(crypto, heads);
  const unsigned = { at: now, heads, root };
  await seals.put({ ...unsigned, signature: await signer.sign(sealedText(unsigned)) });
  return { kind: "sealed", links };
}

/** From the sealed link on to link `until`, each after the one before; undefined: one does not follow, or is not there. */
async function followed(
  crypto: Crypto,
  store: Pick<AuditStore, "from">,
  chain: number,
  before: ChainHead | undefined,
  until: number,
): Promise<{ readonly head: ChainHead; readonly links: number } | undefined> {
  let last: AuditLink | undefined;
  for await (const link of store.from(chain, before?.seq ?? 1)) {
    const stands =
      last === undefined && before !== undefined
        ? link.seq === before.seq && link.hash === before.hash && linkHash(crypto, link) === before.hash
        : isNext(crypto, chain, last, link);
    if (!stands) return undefined;
    last = link;
    if (link.seq >= until) break;
  }
  if (last === undefined || last.seq < until) return undefined;
  return { head: { chain, seq: last.seq, hash: last.hash }, links: last.seq - (before?.seq ?? 0) };
}

function isNext(crypto: Crypto, chain: number, last: AuditLink | undefined, link: AuditLink): boolean {
  const expected = linkAfter(crypto, chain, last, link.entry);
  return link.seq === expected.seq && link.previous === expected.previous && link.hash === expected.hash;
}
