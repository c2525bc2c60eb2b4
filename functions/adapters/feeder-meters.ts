import type { AccessStore } from "../../shared/jobs/access.ts";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import type { DeviceProfile } from "../../shared/metering/profile.ts";
import { tellsOfLoss } from "../../shared/metering/profile-abilities.ts";
import type { FedMeter } from "../../shared/outage/electrical-tree.ts";
import type { FeederMeters } from "../../shared/outage/run-outages.ts";
import type { Profiles, Segments } from "../../shared/registry/registry.ts";

/** Meters of feeders are kept for so long, ms, and so many; a meter that moves is seen at its new place after that. */
const KEPT_MS = 600_000;
const KEPT_MAX = 200_000;

interface Ports {
  readonly segments: Pick<Segments, "members">;
  readonly access: Pick<AccessStore, "readMany">;
  readonly profiles: Pick<Profiles, "version">;
  readonly now: () => number;
}

/** Meters by the feeder that their access items name. */
export function feederMeters({ segments, access, profiles, now }: Ports): FeederMeters {
  const kept = new Map<string, { readonly at: number; readonly meters: readonly FedMeter[] }>();
  const models = new Map<string, DeviceProfile | undefined>();
  const modelOf = async ({ name, version }: { readonly name: string; readonly version: number }) => {
    const key = `${name}@${version}`;
    if (!models.has(key)) models.set(key, await profiles.version(name, version));
    return models.get(key);
  };
  const keep = (feeder: string, meters: readonly FedMeter[]): void => {
    kept.delete(feeder);
    kept.set(feeder, { at: now(), meters });
    let total = [...kept.values()].reduce((sum, one) => sum + one.meters.length, 0);
    for (const [oldest, one] of kept) {
      if (total <= KEPT_MAX) return;
      kept.delete(oldest);
      total -= one.meters.length;
    }
  };
  return {
    async feedersOf(segment, slots) {
      const items = await access.readMany(segment, slots);
      return [...new Set(items.flatMap(({ feeder }) => (feeder === undefined ? [] : [feeder])))];
    },
    async metersOf(feeder) {
      const known = kept.get(feeder);
      if (known !== undefined && now() - known.at < KEPT_MS) return known.meters;
      const meters: FedMeter[] = [];
      for await (const { segment, bitmap } of segments.members({ kind: "feeder", name: feeder }))
        for (const item of await access.readMany(segment, slotsOfBitmap(bitmap))) {
          const profile = await modelOf(item.profile);
          if (profile?.commodity !== "electric" || item.feeder !== feeder) continue;
          const { meterId, slot, transformer } = item;
          meters.push({ meterId, place: { segment, slot }, transformer, gasps: tellsOfLoss(profile) });
        }
      keep(feeder, meters);
      return meters;
    },
  };
}
