import type { AuditLink, AuditStore } from "./audit.ts";

/** Audit chains in memory, for simulation and tests. */
export function memoryAudit(): AuditStore & { readonly links: readonly AuditLink[] } {
  const links: AuditLink[] = [];
  const chainOf = (chain: number): AuditLink[] => links.filter((link) => link.chain === chain);
  return {
    links,
    last: async (chain) => chainOf(chain).at(-1),
    async put(link) {
      if (chainOf(link.chain).some(({ seq }) => seq === link.seq)) return "conflict";
      links.push(link);
      return "written";
    },
    async *from(chain, seq) {
      yield* chainOf(chain).filter((link) => link.seq >= seq);
    },
  };
}
