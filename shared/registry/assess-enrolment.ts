import type { AccessItem } from "../jobs/access.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { KeyVault } from "../security/key-vault.ts";
import { claimNames, type EnrolPorts, outcomeOf, sealContext } from "./enrolment.ts";
import type { EnrolmentOutcome, EnrolmentRequest, FieldProblem, RegisteredMeter } from "./registered-meter.ts";
import type { Claim, ClaimName } from "./registry.ts";
import { differenceOf, keyDifference, unsuitable } from "./suitability.ts";

/** A claim whose meter never came to be may be taken over after so long. */
const STALE_CLAIM_MS = 600_000;

export type Assessment =
  | { readonly kind: "settled"; readonly outcome: EnrolmentOutcome }
  /** Claims, meter and access item are there; sets and the last write are missing. */
  | { readonly kind: "finish"; readonly there: RegisteredMeter }
  | {
      readonly kind: "place";
      readonly request: EnrolmentRequest;
      readonly profile: DeviceProfile;
      /** An interrupted enrolment, and the slot that it had in mind. */
      readonly there?: RegisteredMeter;
      readonly candidate?: Place;
      readonly toClaim: readonly { readonly name: ClaimName; readonly over?: Claim }[];
    };

type Refused = Extract<EnrolmentOutcome, { readonly kind: "refused" }>;
const refused = (because: Refused["because"], problem: FieldProblem): Refused => ({
  kind: "refused",
  because,
  ...problem,
});
const settled = (outcome: EnrolmentOutcome): Assessment => ({ kind: "settled", outcome });

/** Reads what is there, in batches, and says what each request comes to. Writes nothing. */
export async function assess(ports: EnrolPorts, requests: readonly EnrolmentRequest[]): Promise<readonly Assessment[]> {
  const names = requests.map(claimNames);
  const [meters, claims, profiles] = await Promise.all([
    ports.registry.meters(requests.map(({ meterId }) => meterId)),
    ports.registry.claims(names.flat()),
    profilesOf(ports, requests),
  ]);
  const access = await accessOf(ports, [...meters.values()]);
  const others = claims.flatMap((claim) => (claim === undefined || meters.has(claim.meterId) ? [] : [claim.meterId]));
  const owners: ReadonlyMap<MeterId, RegisteredMeter> =
    others.length === 0 ? new Map() : await ports.registry.meters([...new Set(others)]);
  const stateOf = (meterId: MeterId) => (meters.get(meterId) ?? owners.get(meterId))?.state;

  let at = 0;
  return Promise.all(
    requests.map(async (request, index): Promise<Assessment> => {
      const own = names[index] ?? [];
      const held = claims.slice(at, at + own.length);
      at += own.length;
      const there = meters.get(request.meterId);
      const profile = profiles.get(request.profile);
      if (profile === undefined)
        return settled(
          refused("unsuitable", {
            field: "profile",
            expected: "the name of a device profile of this deployment",
            received: request.profile,
          }),
        );
      const misfit = unsuitable(request, profile);
      if (misfit !== undefined) return settled(refused("unsuitable", misfit));
      const item = access.get(request.meterId);
      if (there !== undefined && (item !== undefined || there.state !== "enrolling"))
        return compared(ports, there, item, request);
      const claimed = claimsOf(own, held, request, stateOf, ports.clock.now());
      if ("field" in claimed) return settled(refused("conflict", claimed));
      return {
        kind: "place",
        request,
        profile,
        ...(there === undefined ? {} : { there, candidate: there.place }),
        toClaim: claimed,
      };
    }),
  );
}

async function profilesOf(
  { profiles }: EnrolPorts,
  requests: readonly EnrolmentRequest[],
): Promise<ReadonlyMap<string, DeviceProfile>> {
  const names = [...new Set(requests.map(({ profile }) => profile))];
  const found = await Promise.all(names.map(async (name) => [name, await profiles.latest(name)] as const));
  return new Map(found.flatMap(([name, profile]) => (profile === undefined ? [] : [[name, profile] as const])));
}

/** The access items that really are of these meters: a slot counts only if both point at each other. */
async function accessOf(
  { access }: EnrolPorts,
  meters: readonly RegisteredMeter[],
): Promise<ReadonlyMap<MeterId, AccessItem>> {
  const bySegment = Map.groupBy(meters, ({ place }) => place.segment);
  const items = await Promise.all(
    [...bySegment].map(([segment, placed]) =>
      access.readMany(segment, [...new Set(placed.map(({ place }) => place.slot))]),
    ),
  );
  const found = new Map(items.flat().map((item) => [item.meterId, item]));
  const own = meters.filter(({ meter, place }) => {
    const item = found.get(meter.meterId);
    return item !== undefined && item.segment === place.segment && item.slot === place.slot;
  });
  return new Map(own.map(({ meter }) => [meter.meterId, found.get(meter.meterId) as AccessItem]));
}

/** A meter whose slot is allocated: the same again, or a conflict. */
async function compared(
  { vault }: EnrolPorts,
  there: RegisteredMeter,
  item: AccessItem | undefined,
  request: EnrolmentRequest,
): Promise<Assessment> {
  const { meterId } = request;
  if (there.state === "retired")
    return settled(
      refused("conflict", { field: "meterId", expected: "a meter that is not retired", received: meterId }),
    );
  const difference = differenceOf(there, request);
  if (difference !== undefined) return settled(refused("conflict", difference));
  const held = await heldKeys(vault, meterId, item);
  if (held === "unreadable")
    return settled(refused("conflict", { field: "keys", expected: `sealed keys of ${meterId} that can be opened` }));
  const key = keyDifference(held, request.keys);
  if (key !== undefined)
    return settled(
      refused("conflict", {
        field: `keys.${key}`,
        expected: `the key that ${meterId} is enrolled with; keys are rotated`,
      }),
    );
  if (there.state === "enrolling") return { kind: "finish", there };
  return settled(outcomeOf("unchanged", there));
}

/** The keys that a meter is enrolled with. One blob that cannot be opened never keeps other meters waiting. */
async function heldKeys(
  vault: KeyVault,
  meterId: MeterId,
  item: AccessItem | undefined,
): Promise<MeterKeys | "unreadable" | undefined> {
  const sealed = item?.sealedKeys;
  if (sealed === undefined) return undefined;
  try {
    return await vault.open({ ...sealContext(meterId), version: sealed.version }, sealed.blob);
  } catch (error) {
    if (error instanceof HeadraceError && error.retry === "never") return "unreadable";
    throw error;
  }
}

const CLAIMED = {
  title: { field: "systemTitle", words: "system title" },
  serial: { field: "serial", words: "serial" },
  "service-point": { field: "servicePoint", words: "service point" },
} as const satisfies Record<ClaimName["kind"], { readonly field: string; readonly words: string }>;

/** What is to be claimed, or whose it is already. */
function claimsOf(
  names: readonly ClaimName[],
  held: readonly (Claim | undefined)[],
  { meterId, installed }: EnrolmentRequest,
  stateOf: (meterId: MeterId) => RegisteredMeter["state"] | undefined,
  now: number,
): readonly { readonly name: ClaimName; readonly over?: Claim }[] | FieldProblem {
  const toClaim: { readonly name: ClaimName; readonly over?: Claim }[] = [];
  for (const [index, name] of names.entries()) {
    const claim = held[index];
    if (claim?.meterId === meterId) continue;
    const gives = name.kind === "service-point" && claim?.meterId === installed?.replaces;
    const owner = claim && stateOf(claim.meterId);
    // What a retired meter was called may be the name of another one, or of the same one that comes back.
    const isFree = owner === "retired" || (owner === undefined && now - (claim?.at ?? 0) >= STALE_CLAIM_MS);
    if (claim !== undefined && !gives && !isFree)
      return {
        field: CLAIMED[name.kind].field,
        expected: `a ${CLAIMED[name.kind].words} that no other meter has; ${claim.meterId} has it`,
        received: name.value,
      };
    toClaim.push(claim === undefined ? { name } : { name, over: claim });
  }
  return toClaim;
}
