import { HeadraceError } from "../ports/errors.ts";
import { seeded } from "../ports/random.ts";
import { parseShares, type Shares, shuffled } from "./shares.ts";

/** What a simulated meter does wrong, and how a headend must report it. */
export const FAULT_KINDS = {
  silent: "accepts connections and never answers: timeout",
  slow: "answers after 2 seconds: still read",
  "wrong-key": "holds other keys than were enrolled: auth",
  drops: "closes in the middle of a block transfer, each time: interrupted",
  closed: "does not listen: unreachable",
  "wrong-proof": "answers a wrong f(CtoS): auth",
  echo: "sends the client's own challenge back as its own: auth",
  replay: "answers with what it recorded in its last session: auth",
  "high-counter": "has accepted the counter 3.9e9 and refuses lower ones: auth",
  "late-reset": "answers a demand reset after 15 seconds, having done it: still done, once",
  "dies-resetting": "does a demand reset, closes and is silent for 20 seconds: still done, once",
  "hollow-reset": "acknowledges a demand reset and does nothing: no-effect or unverified",
  "hollow-switch": "acknowledges an order to its switch and does nothing",
  "hollow-credit": "acknowledges credit and tokens and credits nothing: no-effect or unverified",
  "hollow-tariff": "acknowledges a calendar of tariffs and keeps the one that it had",
  "dead-metrology":
    "its network card lives and says who it is, the meter behind it is dead: meter-silent to a ping, else timeout",
  welded: "its switch says open, but the contact stays closed",
  "load-side-live": "has voltage on the load side though its switch is open",
} as const;
export type FaultKind = keyof typeof FAULT_KINDS;
const KINDS = Object.keys(FAULT_KINDS) as readonly FaultKind[];

/** How a meter is secured; some faults need a secret, or a proof of both sides, to show. */
export type Security = "none" | "secret" | "mutual";
const NEEDS: Readonly<Record<FaultKind, readonly Security[]>> = {
  silent: ["none", "secret", "mutual"],
  slow: ["none", "secret", "mutual"],
  "wrong-key": ["secret", "mutual"],
  drops: ["none", "secret", "mutual"],
  closed: ["none", "secret", "mutual"],
  "wrong-proof": ["mutual"],
  echo: ["mutual"],
  replay: ["mutual"],
  "high-counter": ["mutual"],
  "late-reset": ["mutual"],
  "dies-resetting": ["mutual"],
  "hollow-reset": ["mutual"],
  "hollow-switch": ["mutual"],
  "hollow-credit": ["mutual"],
  "hollow-tariff": ["mutual"],
  "dead-metrology": ["secret", "mutual"],
  welded: ["mutual"],
  "load-side-live": ["mutual"],
};

export type FaultShares = Shares<FaultKind>;

/** Reads `KIND=SHARE[,KIND=SHARE…]`; throws `town.faults` for anything else. An empty text is no fault. */
export const parseFaults = (text: string): FaultShares => parseShares("fault", KINDS, text);

/**
 * Which meter has which fault: disjoint, by seed alone, round(share × meters) of each kind. `securities` holds one
 * entry a meter. Throws `town.faults` when there are not enough meters that can show a fault.
 */
export function assignFaults(
  seed: number,
  securities: readonly Security[],
  shares: FaultShares,
): ReadonlyMap<number, FaultKind> {
  const assigned = new Map<number, FaultKind>();
  const free = shuffled(seeded(`faults ${seed}`), securities.length);
  const kinds = KINDS.filter((kind) => shares[kind] !== undefined).sort((a, b) => NEEDS[a].length - NEEDS[b].length);
  for (const kind of kinds) {
    const wanted = Math.round(shares[kind]! * securities.length);
    const able = free.filter((index) => !assigned.has(index) && NEEDS[kind].includes(securities[index]!));
    if (able.length < wanted)
      throw new HeadraceError(
        "town.faults",
        `expected ${wanted} meters that can be ${kind}, but only ${able.length} of ${securities.length} are left for it`,
        { retry: "never" },
      );
    for (const index of able.slice(0, wanted)) assigned.set(index, kind);
  }
  return assigned;
}
