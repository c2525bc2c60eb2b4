import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { AUDIT_CHAINS, type AuditEntry, type AuditLink, auditLog, brokenLink, chainOf } from "./audit.ts";
import { memoryAudit } from "./memory-audit.ts";

const clock = { sleep: async () => {} };
const entry = (n: number): AuditEntry => ({
  at: n,
  by: { id: `person-${n % 7}` },
  action: "order.intent",
  meterId: `meter-${n % 9}`,
  detail: { to: "open", n: String(n) },
});
async function* list(links: readonly AuditLink[]): AsyncGenerator<AuditLink> {
  yield* links;
}

describe("the audit", () => {
  it("keeps every entry once, in chains without gaps, though several write at once", async () => {
    const store = memoryAudit();
    const logs = [1, 2, 3].map(() => auditLog({ store, crypto: nodeCrypto, clock }));
    await Promise.all(Array.from({ length: 300 }, (_, n) => logs[n % 3]!.append(entry(n))));
    expect(store.links).toHaveLength(300);
    for (let chain = 0; chain < AUDIT_CHAINS; chain++) {
      expect(await brokenLink(nodeCrypto, store.from(chain, 1), chain)).toBeUndefined();
      for await (const link of store.from(chain, 1)) expect(chainOf(link.entry)).toBe(chain);
    }
  });

  it("shows where an entry was changed, taken out or put in", async () => {
    const store = memoryAudit();
    const log = auditLog({ store, crypto: nodeCrypto, clock });
    for (let n = 0; n < 5; n++) await log.append({ ...entry(0), at: n });
    const chain = chainOf(entry(0));
    const [first, second, third, ...rest] = store.links as [AuditLink, AuditLink, AuditLink, ...AuditLink[]];
    const changed = { ...second, entry: { ...second.entry, reason: "another" } };
    expect(await brokenLink(nodeCrypto, list([first, changed, third, ...rest]), chain)).toBe(changed);
    expect(await brokenLink(nodeCrypto, list([first, third, ...rest]), chain)).toBe(third);
    expect(await brokenLink(nodeCrypto, list([second, third, ...rest]), chain)).toBe(second);
  });

  it("says so when it cannot be written, and goes on with what is stored then", async () => {
    const store = memoryAudit();
    let fails = true;
    const log = auditLog({
      store: {
        last: store.last,
        async put(link) {
          const written = await store.put(link);
          if (fails) throw new Error("the answer is lost"); // though it lies there
          return written;
        },
      },
      crypto: nodeCrypto,
      clock,
    });
    await expect(log.append(entry(1))).rejects.toThrow("the answer is lost");
    fails = false;
    await log.append({ ...entry(1), at: 2 });
    expect(store.links.map(({ seq }) => seq)).toEqual([1, 2]);
  });
});
