import type { Clock } from "../../shared/ports/clock.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { ActiveRegion, Authority } from "../adapters/dynamo-authority.ts";

/** How often the active Region and epoch are looked at, ms. The marks' own condition is what fences. */
const LOOK_MS = 10_000;

/** Whether this Region is the active one, and in which epoch. */
export interface AuthorityWatch {
  /** False while the deployment is not seeded, or another Region is active. */
  readonly isOurs: boolean;
  /** The active epoch; `again`: look now. Throws `epoch.none` while it is not ours. */
  epoch(again: boolean): Promise<number>;
}

/** Looks until the signal aborts. `region` undefined: whichever is active. */
export function watchAuthority(
  authority: Pick<Authority, "active">,
  region: string | undefined,
  clock: Clock,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
): AuthorityWatch {
  let seen: ActiveRegion | undefined;
  const look = async (): Promise<void> => {
    seen = await authority.active();
  };
  const ours = (): ActiveRegion | undefined =>
    seen !== undefined && (region === undefined || seen.region === region) ? seen : undefined;
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await look().catch(onTrouble);
      await clock.sleep(seen === undefined ? LOOK_MS / 20 : LOOK_MS, signal).catch(() => undefined);
    }
  };
  void watch();
  return {
    get isOurs() {
      return ours() !== undefined;
    },
    async epoch(again) {
      if (again || seen === undefined) await look();
      const active = ours();
      if (active !== undefined) return active.epoch;
      throw new HeadraceError(
        "epoch.none",
        `expected ${region ?? "a Region"} to be active, it is ${seen?.region ?? "not seeded"}`,
        {
          retry: "later",
        },
      );
    },
  };
}
