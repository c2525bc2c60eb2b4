import type { AccessItem } from "../../shared/jobs/access.ts";
import { type FactSource, factKindsOf } from "../../shared/queries/find-meters.ts";
import { evaluate } from "../../shared/queries/language/evaluate.ts";
import { conditionOf, type MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import { accessRow, factsRow, registryRow, type SegmentFacts } from "../../shared/queries/meter-row.ts";
import type { Registry } from "../../shared/registry/registry.ts";

/** Facts of a segment serve its meters for so long, ms: one read for many. */
const FRESH_MS = 5_000;
const KEPT_MAX = 64;

/** Whether a meter matches now: by registry and access item read consistently, and by facts that are a few seconds old. */
export function stillMatches(
  registry: Pick<Registry, "meters">,
  facts: FactSource,
  now: () => number,
): (filter: MeterFilter, item: AccessItem) => Promise<boolean> {
  const kept = new Map<string, { readonly at: number; readonly facts: Promise<SegmentFacts> }>();
  return async (filter, item) => {
    const condition = conditionOf(filter);
    const [meter] = (await registry.meters([item.meterId])).values();
    if (meter?.state !== "enrolled") return false;
    const nowMs = now();
    const kinds = factKindsOf(condition).filter((kind) => kind !== "devices"); // the access item says that
    const key = `${item.segment}/${kinds.join()}`;
    let found = kept.get(key);
    if (found === undefined || nowMs - found.at > FRESH_MS) {
      found = { at: nowMs, facts: facts.of(item.segment, [], kinds, nowMs) };
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(key, found);
      found.facts.catch(() => kept.delete(key));
    }
    const row = { ...registryRow(meter), ...accessRow(item), ...factsRow(await found.facts, item.slot, nowMs) };
    return evaluate(condition, row, nowMs) === true;
  };
}
