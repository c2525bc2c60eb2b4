import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import { Meter, type MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { memoryMissingRecords } from "../../shared/readings/memory-missing-records.ts";
import { enrolMeters, FILL_ALL } from "../../shared/registry/enrol-meters.ts";
import type { EnrolPorts } from "../../shared/registry/enrolment.ts";
import type { MemberSet } from "../../shared/registry/member-sets.ts";
import type { EnrolmentRequest } from "../../shared/registry/registered-meter.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "../../test/contract/embedded-dynamo.ts";
import { REGISTRY_TABLES } from "../../test/contract/registry-tables.ts";
import { plainVault } from "../../test/plain-vault.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { dynamoProfiles } from "./dynamo-profiles.ts";
import { dynamoRegistry } from "./dynamo-registry.ts";
import { dynamoSegments, registryTargets } from "./dynamo-segments.ts";
import { meterSearch } from "./meter-search.ts";

let dynamo: EmbeddedDynamo;
let ports: EnrolPorts;
let now = Date.UTC(2026, 10, 23);

beforeAll(async () => {
  dynamo = await embeddedDynamo(REGISTRY_TABLES);
  const { db } = dynamo;
  const profiles = dynamoProfiles(db, "Registry");
  for (const profile of PROFILES.values()) await profiles.add(profile);
  ports = {
    registry: dynamoRegistry(db, "Registry"),
    segments: dynamoSegments(db, "Registry"),
    profiles,
    access: dynamoAccess(db, "Access"),
    vault: keyVault(plainVault),
    clock: { now: () => now },
    meterTime: { now: () => now },
  };
});
afterAll(() => dynamo.close());

let running = 0;
const title = (number: number): string => `485244${number.toString(16).padStart(10, "0")}`;
const keys = { unicast: "000102030405060708090a0b0c0d0e0f", authentication: "101112131415161718191a1b1c1d1e1f" };

function request(meterId: string, rest: Record<string, unknown> = {}): EnrolmentRequest {
  const number = ++running;
  const meter = Meter.parse({
    meterId,
    commodity: "electric",
    serial: `S-${meterId}`,
    profile: "generic-eu",
    systemTitle: title(number),
    routes: [{ kind: "dial", host: "127.0.0.1", port: 4059 }],
    memberships: {},
    ...rest,
  });
  return { ...meter, keys };
}
const enrol = (...requests: EnrolmentRequest[]) => enrolMeters(ports, requests, FILL_ALL);

async function membersOf(set: MemberSet): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { segment, bitmap } of ports.segments.members(set))
    for (const slot of slotsOfBitmap(bitmap)) found.push(`${segment}/${slot}`);
  return found;
}
const allSlots = async () => (await membersOf({ kind: "all", name: "all" })).length;

describe("enrolment", () => {
  it("gives a meter one slot for life, in every set that it belongs to", async () => {
    const asked = request("A-1", { memberships: { groups: ["north", "pilot"], feeder: "F-1", transformer: "T-1" } });
    const [outcome] = await enrol(asked);
    expect(outcome).toMatchObject({ kind: "enrolled", meterId: "A-1" });
    const place = outcome?.kind === "enrolled" ? outcome.place : { segment: -1, slot: -1 };
    const [item] = await ports.access.readMany(place.segment, [place.slot]);
    expect(item).toMatchObject({ meterId: "A-1", systemTitle: asked.systemTitle, counterOffset: 0n, lastOrder: 0 });
    expect(item?.sealedKeys?.version).toBe(1);
    const at = `${place.segment}/${place.slot}`;
    for (const [kind, name] of [
      ["all", "all"],
      ["group", "north"],
      ["group", "pilot"],
      ["feeder", "F-1"],
      ["transformer", "T-1"],
    ] as const)
      expect(await membersOf({ kind, name })).toContain(at);
    const targets = registryTargets(
      dynamoRegistry(dynamo.db, "Registry"),
      meterSearch(dynamo.db, { registry: "Registry", readings: "Readings", access: "Access" }),
      ports.segments,
      memoryMissingRecords(),
    );
    expect(await targets.places(["A-1" as MeterId, "nobody" as MeterId])).toEqual(new Map([["A-1", place]]));
    expect(await enrol(asked)).toEqual([{ kind: "unchanged", meterId: "A-1", place }]);
  });

  it("fills segments by way in, collector by collector", async () => {
    const outcomes = await enrol(
      request("C-1", { memberships: { collector: "K1" } }),
      request("C-2", { memberships: { collector: "K1" } }),
      request("C-3", { memberships: { collector: "K2" } }),
    );
    const segments = outcomes.map((outcome) => (outcome.kind === "enrolled" ? outcome.place.segment : undefined));
    expect(segments[0]).toBe(segments[1]);
    expect(segments[2]).not.toBe(segments[0]);
  });

  it("tells planning of meters that are not reached by their segment's own way in", async () => {
    const [outcome] = await enrol(request("W-1", { memberships: { collector: "K7" } }));
    if (outcome?.kind !== "enrolled") throw new Error("expected the meter to be enrolled");
    const { place } = outcome;
    await ports.segments.noteWayIn("collector:K7", place);
    await ports.segments.noteWayIn("collector:K8", place);
    await ports.segments.noteWayIn("collector:K8", place);
    const found: unknown[] = [];
    for await (const { segment, wayIn, bitmap } of ports.segments.otherWays())
      found.push([segment, wayIn, slotsOfBitmap(bitmap)]);
    expect(found).toEqual([[place.segment, "collector:K8", [place.slot]]]);
  });

  const conflicts: readonly (readonly [string, string, (there: EnrolmentRequest) => EnrolmentRequest])[] = [
    ["another serial", "serial", (there) => ({ ...there, serial: "other" })],
    ["another route", "routes", (there) => ({ ...there, routes: [{ kind: "attached" }] })],
    ["another key", "keys.unicast", (there) => ({ ...there, keys: { ...keys, unicast: "ff".repeat(16) } })],
    ["another group", "memberships.groups", (there) => ({ ...there, memberships: { groups: ["elsewhere"] } })],
    ["another meter's title", "systemTitle", (there) => ({ ...there, meterId: "X-1" as MeterId, serial: "new" })],
    ["another meter's serial", "serial", (there) => ({ ...request("X-2"), serial: there.serial })],
  ];
  it.each(conflicts)("refuses %s with field and expectation, and writes nothing", async (_, field, change) => {
    const there = request(`B-${field}-${running}`);
    await enrol(there);
    const before = await allSlots();
    const [outcome] = await enrol(change(there));
    expect(outcome).toMatchObject({ kind: "refused", because: "conflict", field });
    expect(JSON.stringify(outcome)).not.toContain("ffff");
    expect(await allSlots()).toBe(before);
    expect((await ports.registry.meters(["X-1" as MeterId, "X-2" as MeterId])).size).toBe(0);
  });

  it("refuses what its profile could not talk to", async () => {
    const { keys: _, ...open } = request("D-1");
    expect(await enrol(open)).toMatchObject([{ because: "unsuitable", field: "keys.unicast" }]);
    expect(await enrol(request("D-2", { profile: "nothing" }))).toMatchObject([{ field: "profile" }]);
    expect(await enrol(request("D-3", { commodity: "gas" }))).toMatchObject([{ field: "commodity" }]);
    expect(await enrol(request("D-4", { systemTitle: undefined }))).toMatchObject([{ field: "systemTitle" }]);
  });

  it("lets a meter hold its own connection where its profile proves who calls, in segments of its way in", async () => {
    const routes = [{ kind: "attached" }];
    const called = request("m-calls", { routes });
    const collected = request("m-collected", { routes, memberships: { collector: "col-9" } });
    const [own, shared] = await enrol(called, collected);
    expect([own, shared]).toMatchObject([{ kind: "enrolled" }, { kind: "enrolled" }]);
    const places = [own, shared].map((outcome) => (outcome?.kind === "enrolled" ? outcome.place : undefined));
    expect(places[0]?.segment).not.toBe(places[1]?.segment);
    const [item] = await ports.access.readMany(places[1]?.segment ?? 0, [places[1]?.slot ?? 0]);
    expect(item).toMatchObject({ routes, collector: "col-9" });
    for (const profile of ["generic-eu-lls", "generic-eu-public"]) {
      const unproved = { ...request(`m-${profile}`, { routes, profile }), keys: { llsSecret: "00112233" } };
      expect(await enrol(unproved)).toMatchObject([{ because: "unsuitable", field: "routes.0", received: "attached" }]);
    }
  });

  it("refuses a meter whose sealed keys cannot be opened, and only that", async () => {
    const [bad, good] = [request("U-1"), request("U-2")];
    await enrol(bad, good);
    const vault: EnrolPorts["vault"] = {
      ...ports.vault,
      open: (context, blob) =>
        context.meterId === "U-1"
          ? Promise.reject(new HeadraceError("vault.cannot-open", "no", { retry: "never" }))
          : ports.vault.open(context, blob),
    };
    const outcomes = await enrolMeters({ ...ports, vault }, [bad, good], FILL_ALL);
    expect(outcomes).toMatchObject([{ kind: "refused", field: "keys" }, { kind: "unchanged" }]);
  });

  it("settles repetitions inside one call in their order", async () => {
    const one = request("E-1");
    const outcomes = await enrol(one, one, { ...one, serial: "other" }, { ...request("E-2"), serial: one.serial });
    expect(outcomes.map(({ kind }) => kind)).toEqual(["enrolled", "unchanged", "refused", "refused"]);
  });

  it("enrols each once when many ask at the same time", async () => {
    const requests = Array.from({ length: 20 }, (_, index) => request(`P-${index}`));
    const before = await allSlots();
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => enrol(...requests)));
    expect(outcomes.flat().every(({ kind }) => kind !== "refused")).toBe(true);
    const places = new Set(
      outcomes.flat().map((outcome) => (outcome.kind === "refused" ? "" : JSON.stringify(outcome.place))),
    );
    expect(places.size).toBe(20);
    expect(await allSlots()).toBe(before + 20);
  });
});

describe("an enrolment that stops half-way", () => {
  /** The ports, which fail at the `fatal`-th write, before or after it took effect. */
  function failing(fatal: number, after: boolean): EnrolPorts {
    let writes = 0;
    const guarded =
      <A extends unknown[], R>(write: (...given: A) => Promise<R>) =>
      async (...given: A): Promise<R> => {
        const dies = ++writes === fatal;
        if (dies && !after) throw new Error("killed before a write");
        const answer = await write(...given);
        if (dies) throw new Error("killed after a write");
        return answer;
      };
    const { registry, segments, access } = ports;
    return {
      ...ports,
      registry: {
        ...registry,
        createMeter: guarded(registry.createMeter),
        writeMeter: guarded(registry.writeMeter),
        claim: guarded(registry.claim),
      },
      segments: { ...segments, reserve: guarded(segments.reserve), changeMembers: guarded(segments.changeMembers) },
      access: { ...access, createAccessItem: guarded(access.createAccessItem) },
    };
  }

  const steps = Array.from({ length: 9 }, (_, index) => index + 1).flatMap((fatal) => [
    [fatal, false] as const,
    [fatal, true] as const,
  ]);
  it.each(steps)("at write %i (done: %s) is finished by the next try, in one slot", async (fatal, after) => {
    const asked = request(`H-${fatal}-${after}`, { memberships: { groups: [`g-${fatal}-${after}`], feeder: "F-9" } });
    const before = await allSlots();
    const first = await enrolMeters(failing(fatal, after), [asked], FILL_ALL).catch(() => "killed");
    const [outcome] = await enrol(asked);
    expect(outcome?.kind).toBe(first === "killed" && !(after && fatal === 9) ? "enrolled" : "unchanged");
    expect(await membersOf({ kind: "group", name: `g-${fatal}-${after}` })).toHaveLength(1);
    expect(await allSlots()).toBe(before + 1);
    const meter = (await ports.registry.meters([asked.meterId])).get(asked.meterId);
    expect(meter?.state).toBe("enrolled");
    const own = await ports.access.readMany(
      meter?.place.segment ?? -1,
      Array.from({ length: 200 }, (_, slot) => slot),
    );
    expect(own.filter(({ meterId }) => meterId === asked.meterId)).toHaveLength(1);
  });

  it("frees the names that a meter claimed which never came to be", async () => {
    const asked = request("G-1");
    await enrolMeters(failing(3, true), [asked], FILL_ALL).catch(() => undefined); // its title and serial are claimed
    const heir = { ...asked, meterId: "G-2" as MeterId };
    expect(await enrol(heir)).toMatchObject([{ kind: "refused", field: "systemTitle" }]);
    now += 11 * 60_000;
    expect(await enrol(heir)).toMatchObject([{ kind: "enrolled" }]);
  });
});
