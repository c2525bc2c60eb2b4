import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { type AuditLink, auditLog, linkAfter, recentEntries } from "./audit.ts";
import { type AuditSeal, isGenuine, merkleRoot, sealAudit } from "./audit-seal.ts";
import { memoryAudit } from "./memory-audit.ts";

const clock = { sleep: async () => {} };
const signer = {
  sign: async (text: string) => `signed ${text}`,
  verify: async (text: string, signature: string) => signature === `signed ${text}`,
};

async function audit() {
  const store = memoryAudit();
  const log = auditLog({ store, crypto: nodeCrypto, clock });
  const kept: AuditSeal[] = [];
  const seals = { last: async () => kept.at(-1), put: async (seal: AuditSeal) => void kept.push(seal) };
  const note = (n: number, meterId = `meter-${n}`) =>
    log.append({ at: n, by: { id: "p" }, action: "order.intent", meterId, detail: { n: String(n) } });
  for (let n = 0; n < 30; n++) await note(n % 10, `meter-${n % 10}`);
  const links = store.links as AuditLink[];
  return {
    store,
    links,
    kept,
    note,
    seal: (now: number) => sealAudit({ store, seals, signer, crypto: nodeCrypto }, now),
  };
}
/** Writes a chain anew from one link on, as somebody who may write the table could. */
function rewritten(links: AuditLink[], at: number): void {
  const { chain } = links[at]!;
  let last: AuditLink | undefined;
  for (const [index, link] of links.entries()) {
    if (link.chain !== chain) continue;
    const entry = index === at ? { ...link.entry, reason: "another" } : link.entry;
    last = linkAfter(nodeCrypto, chain, last, entry);
    links[index] = last;
  }
}

describe("the seal of the audit", () => {
  it("covers every link once, and nothing is sealed twice", async () => {
    const run = await audit();
    expect(await run.seal(1)).toEqual({ kind: "sealed", links: 30 });
    expect(await run.seal(2)).toEqual({ kind: "unchanged" });
    await run.note(31);
    expect(await run.seal(3)).toEqual({ kind: "sealed", links: 1 });
    expect(run.kept.map(({ at }) => at)).toEqual([1, 3]);
    for (const seal of run.kept) expect(await isGenuine(nodeCrypto, signer, seal)).toBe(true);
  });

  it("is not genuine with another head, time or signature", async () => {
    const run = await audit();
    await run.seal(1);
    const [seal] = run.kept as [AuditSeal];
    const [head, ...rest] = seal.heads as [AuditSeal["heads"][number]];
    for (const change of [{ heads: [{ ...head, seq: head.seq + 1 }, ...rest] }, { at: 2 }, { signature: "x" }])
      expect(await isGenuine(nodeCrypto, signer, { ...seal, ...change })).toBe(false);
    expect(merkleRoot(nodeCrypto, seal.heads.toReversed())).toBe(seal.root);
  });

  it("shows that a whole chain was written anew, which follows perfectly", async () => {
    const run = await audit();
    await run.seal(1);
    const about = { meterId: "meter-3" };
    const { chain } = run.links.find(({ entry }) => entry.meterId === "meter-3")!;
    const head = run.kept[0]!.heads.find((one) => one.chain === chain);
    expect((await recentEntries(nodeCrypto, run.store, about, 9, head)).intact).toBe(true);
    rewritten(
      run.links,
      run.links.findIndex(({ entry }) => entry.meterId === "meter-3"),
    );
    expect((await recentEntries(nodeCrypto, run.store, about, 9)).intact).toBe(true);
    expect((await recentEntries(nodeCrypto, run.store, about, 9, head)).intact).toBe(false);
    expect(await run.seal(2)).toEqual({ kind: "broken", chains: [chain] });
    expect(run.kept).toHaveLength(1);
  });

  it("shows that the end of a chain was cut off, or a link changed with its hash left", async () => {
    const run = await audit();
    await run.seal(1);
    const last = run.links.pop()!;
    expect(await run.seal(2)).toEqual({ kind: "broken", chains: [last.chain] });
    run.links.push({ ...last, entry: { ...last.entry, reason: "another" } });
    expect(await run.seal(3)).toEqual({ kind: "broken", chains: [last.chain] });
  });

  it("of which the newest was forged is followed by none", async () => {
    const run = await audit();
    await run.seal(1);
    run.kept[0] = { ...run.kept[0]!, heads: [] };
    expect(await run.seal(2)).toMatchObject({ kind: "broken" });
  });
});
