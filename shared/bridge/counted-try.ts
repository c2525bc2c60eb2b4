import type { AccessItem } from "../jobs/access.ts";
import type { CounterSource } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import type { Clock } from "../ports/clock.ts";
import { LEASE_BLOCK_MAX } from "../security/counters.ts";
import type { AccessLook, CounterDesk, MeterCounters } from "./counter-desk.ts";
import { refusal } from "./failure-of.ts";
import type { SliceFacts } from "./slice-facts.ts";
import type { TaskEnd } from "./task-report.ts";

/** Meters without keys need none; a driver that draws one all the same has the wrong profile. */
const NO_COUNTERS: CounterSource = {
  next() {
    throw new SessionError("unsupported", "keys.none", "the profile asks for keys, and none are enrolled");
  },
};

export interface CountedTry {
  readonly clock: Clock;
  readonly desk: CounterDesk;
  readonly facts: Pick<SliceFacts, "wornCounters" | "counterRefusals" | "offsetRaises">;
  /** Whose hold does not keep this try away; undefined: any does. */
  readonly holder?: string;
  /** One session under these counters. */
  readonly session: (item: AccessItem, source: CounterSource) => Promise<TaskEnd>;
  /** Asked before another session. */
  readonly mayGoOn: () => Promise<boolean>;
}

/** What a meter has of counters; it outlives a try, also one that throws. */
export interface KeptCounters {
  counters?: MeterCounters;
}

/** One try, with fresh counters where the meter asks for them; a meter that somebody else holds is `busy`. */
export async function countedTry(
  parts: CountedTry,
  first: AccessLook,
  kept: KeptCounters,
): Promise<{ readonly look: AccessLook; readonly end: TaskEnd }> {
  const { clock, desk, facts, holder } = parts;
  let look = first;
  let refusals = 0;
  for (;;) {
    const { hold } = look.item;
    if (hold !== undefined && hold.until > clock.now() && hold.owner !== holder)
      return { look, end: { kind: "failed", failure: refusal("busy", "access.held") } };
    let source = NO_COUNTERS;
    if (look.item.sealedKeys !== undefined) {
      const counters = await desk.countersFor(look, kept.counters);
      if (counters.look !== look) {
        look = counters.look; // a new look: somebody may hold the meter now
        kept.counters = counters;
        continue;
      }
      kept.counters = counters;
      source = counters.source;
      if (counters.wear === "alarm") facts.wornCounters++;
    }
    const end = await parts.session(look.item, source);
    if (end.kind !== "failed" || kept.counters === undefined) return { look, end };
    if (end.countersUsedUp && look.lease.size < LEASE_BLOCK_MAX) {
      look = await desk.lookAgain(look, true);
    } else if (end.counterRefused !== undefined) {
      refusals++;
      if (refusals > 2) return { look, end };
      if (refusals === 2) {
        if (!(await desk.raise(kept.counters, end.counterRefused))) {
          facts.counterRefusals++;
          return { look, end };
        }
        facts.offsetRaises++;
      }
      look = await desk.lookAgain(look, false);
    } else return { look, end };
    if (!(await parts.mayGoOn())) return { look, end };
  }
}
