import { absoluteTitle, enrolledForms } from "../c1222/ap-title.ts";
import type { AccessItem, AccessStore } from "../jobs/access.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { Registry } from "../registry/registry.ts";
import type { KeyVault } from "../security/key-vault.ts";
import type { EnrolledNode } from "./c1222-inbound.ts";
import type { ProfileSource } from "./profiles.ts";

export interface NodeDirectoryPorts {
  readonly clock: Pick<Clock, "now">;
  readonly access: Pick<AccessStore, "read">;
  readonly registry: Pick<Registry, "claims" | "meters">;
  readonly profiles: ProfileSource;
  readonly vault: Pick<KeyVault, "open">;
}

/** Enrolled meters by the title that a message says it is from. A title proves nothing. */
export interface NodeDirectory {
  /** Undefined: nobody is enrolled under it. Throws `inbound.names` when too many were asked for lately. */
  find(apTitle: string): Promise<{ readonly meterId: MeterId; readonly place: Place } | undefined>;
  /** Its access item, as it is now. */
  item(apTitle: string): Promise<AccessItem | undefined>;
  /** With its keys, which are kept nowhere. */
  open(apTitle: string): Promise<EnrolledNode | undefined>;
}

/** What a title led to is remembered so long, ms, and of so many titles; the access item is read each time. */
const REMEMBERED_MS = 60_000;
/** That nobody is enrolled under a title is remembered so long, ms: it may be soon. */
const UNKNOWN_MS = 5_000;
const REMEMBERED_MAX = 20_000;
/** Look-ups of titles within a minute: strangers who say names must not cost more. */
const LOOKUPS_MAX = 3_000;
const MINUTE_MS = 60_000;

interface Remembered {
  /** Clock ms from which it is remembered. */
  at: number;
  readonly found: Promise<Found>;
}
type Found = { readonly meterId: MeterId; readonly place: Place } | undefined;

export function nodeDirectory({ clock, access, registry, profiles, vault }: NodeDirectoryPorts): NodeDirectory {
  const remembered = new Map<string, Remembered>();
  let lookups = { minute: -1, count: 0 };

  const lookUp = async (title: string): Promise<Found> => {
    const claims = await registry.claims(enrolledForms(title).map((value) => ({ kind: "title", value })));
    const claim = claims.find((one) => one !== undefined);
    const meter = claim && (await registry.meters([claim.meterId])).get(claim.meterId);
    return claim === undefined || meter?.state !== "enrolled"
      ? undefined
      : { meterId: claim.meterId, place: meter.place };
  };
  const find = (apTitle: string): Promise<Found> => {
    const title = absoluteTitle(apTitle);
    const now = clock.now();
    const there = remembered.get(title);
    if (there !== undefined && now - there.at < REMEMBERED_MS) return there.found;
    const minute = Math.floor(now / MINUTE_MS);
    lookups = { minute, count: lookups.minute === minute ? lookups.count + 1 : 1 };
    if (lookups.count > LOOKUPS_MAX)
      return Promise.reject(
        new HeadraceError("inbound.names", "too many names were asked for within this minute", { retry: "later" }),
      );
    remembered.delete(title);
    for (const [oldest, { at }] of remembered) {
      if (remembered.size < REMEMBERED_MAX && now - at < REMEMBERED_MS) break; // in the order of their look-up
      remembered.delete(oldest);
    }
    const found = lookUp(title);
    const fresh: Remembered = { at: now, found };
    remembered.set(title, fresh);
    const forget = (): void => void (remembered.get(title) === fresh && remembered.delete(title));
    found.then((there) => {
      if (there === undefined) fresh.at = now - REMEMBERED_MS + UNKNOWN_MS;
    }, forget);
    return found;
  };
  const item = async (apTitle: string): Promise<AccessItem | undefined> => {
    const found = await find(apTitle);
    const there = found && (await access.read(found.place));
    return there?.meterId === found?.meterId ? there : undefined;
  };

  return {
    find,
    item,
    async open(apTitle) {
      const found = await item(apTitle);
      if (found?.systemTitle === undefined) return undefined;
      const { meterId, segment, slot, sealedKeys, systemTitle: title } = found;
      const profile = await profiles(found.profile.name, found.profile.version);
      if (profile === undefined) return undefined;
      const keys =
        sealedKeys &&
        (await vault.open({ meterId, purpose: "meter-keys", version: sealedKeys.version }, sealedKeys.blob));
      return {
        meterId,
        place: { segment, slot },
        keyVersion: sealedKeys?.version ?? 0,
        member: { title, profile, keys },
      };
    },
  };
}
