import type { DeviceProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";

/** A device profile by name and version; undefined: there is none. */
export type ProfileSource = (name: string, version: number) => Promise<DeviceProfile | undefined>;

/** How long an unknown profile is believed to be unknown, ms: somebody may just be writing it. */
const UNKNOWN_MS = 10_000;

/** A version never changes, so what was found once is kept; callers that ask at once share one look-up. */
export function cachedProfiles(load: ProfileSource, clock: Clock): ProfileSource {
  const known = new Map<string, { readonly profile: Promise<DeviceProfile | undefined>; readonly askedAt: number }>();
  return async (name, version) => {
    const key = `${name}/${version}`;
    const entry = known.get(key);
    if (entry !== undefined && clock.now() - entry.askedAt < UNKNOWN_MS) return entry.profile;
    const kept = entry === undefined ? undefined : await entry.profile.catch(() => undefined);
    if (kept !== undefined) return kept;
    const profile = load(name, version);
    known.set(key, { profile, askedAt: clock.now() });
    profile.catch(() => known.delete(key)); // a failed look-up is not an answer
    return profile;
  };
}
