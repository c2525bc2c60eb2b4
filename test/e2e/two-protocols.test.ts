import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { type Protocol, population } from "../../shared/simulator/population.ts";
import { countersUsedTwice } from "./bridges.ts";
import { Deployment, type JobView } from "./deployment.ts";

const METERS = 60;
const SEED = 1;
const FAULTS = { silent: 0.05, "wrong-key": 0.05, drops: 0.05, closed: 0.05, slow: 0.05 } as const;
/** What a read comes to for each fault, whichever protocol the meter speaks; without a fault, or slow: done. */
const REASONS: Readonly<Record<string, string>> = {
  silent: "timeout",
  "wrong-key": "auth",
  drops: "interrupted",
  closed: "unreachable",
};
const PROTOCOLS: readonly Protocol[] = ["dlms", "c1222"];
/** The meters as their own town has them; the headend's title is not looked at. */
const PLANS = population(nodeCrypto, { meters: METERS, seed: SEED, faults: FAULTS, clientSystemTitle: "0".repeat(16) });
const ofProtocol = (protocol: Protocol) => PLANS.filter(({ profile }) => profile.protocol === protocol);

/** What JSON is made of: names and kinds, no values. Lists are told apart by what is in them, not by how much of it. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) {
    const kinds = [...new Set(value.map(shapeOf))].sort();
    return kinds.length === 0 || kinds.join() === "string" ? "texts" : `[${kinds.join(" | ")}]`;
  }
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{ ${fields.map(([name, inner]) => `${name}: ${shapeOf(inner)}`).join(", ")} }`;
}

interface Task {
  readonly meterId: string;
  readonly state: string;
  readonly reason?: string;
}
interface Witness {
  readonly fanOut: { readonly relays: readonly { readonly repeated: number }[]; readonly multicast?: number };
}
interface Readings {
  readonly registers: readonly { readonly measurement: string; readonly unit: string; readonly readingType: string }[];
  readonly intervals: readonly {
    readonly channels: readonly { readonly measurement: string; readonly unit: string; readonly readingType: string }[];
    readonly entries: readonly unknown[];
  }[];
}

describe("a town of both protocols", () => {
  let headend: Deployment;
  let job: JobView;
  const tasks = new Map<string, Task>();
  const get = async <Body>(path: string): Promise<Body> => {
    const { status, body } = await headend.call<Body>("operator", "GET", path);
    expect(status, path).toBe(200);
    return body;
  };
  const read = async (target: Record<string, unknown>): Promise<JobView> => {
    const to = Math.floor(Date.now() / 1000) * 1000;
    const range = { from: new Date(to - 86_400_000).toISOString(), to: new Date(to).toISOString() };
    const operation = { kind: "readIntervals", range, registers: "total" };
    return headend.runJob({ operation, target, retry: { passes: 1 } }, 240_000);
  };

  beforeAll(async () => {
    const faults = Object.entries(FAULTS).map(([kind, share]) => `${kind}=${share}`);
    headend = await Deployment.start([
      "--meters",
      String(METERS),
      "--seed",
      String(SEED),
      "--faults",
      faults.join(","),
    ]);
    job = await read({ kind: "all" });
    const listed = await get<{ tasks: Task[] }>(`/jobs/${job.jobId}/tasks?limit=1000`);
    for (const task of listed.tasks) tasks.set(task.meterId, task);
  }, 400_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  it("has half its meters speak each, and every fault in both", () => {
    const faulty = PLANS.flatMap(({ fault, profile }) => (fault === undefined ? [] : [`${fault} ${profile.protocol}`]));
    expect(new Set(faulty).size).toBe(Object.keys(FAULTS).length * PROTOCOLS.length);
    expect(PROTOCOLS.map((protocol) => ofProtocol(protocol).length)).toEqual([METERS / 2, METERS / 2]);
  });

  it.each(PROTOCOLS)("says of each meter that speaks %s why it could not be read", (protocol) => {
    const told = ofProtocol(protocol).map(({ meterId, fault }) => {
      const task = tasks.get(meterId);
      return { meterId, fault, state: task?.state, reason: task?.reason };
    });
    const expected = ofProtocol(protocol).map(({ meterId, fault }) => {
      const reason = REASONS[fault ?? ""];
      return { meterId, fault, state: reason === undefined ? "done" : "failed", reason };
    });
    expect(told).toEqual(expected);
  });

  it("is answered for in the same shape, whatever protocol a meter speaks", async () => {
    const shapes: Record<string, Set<string>> = {};
    const note = (what: string, body: unknown): void => {
      shapes[what] ??= new Set();
      shapes[what].add(shapeOf(body));
    };
    const { meters } = await get<{ meters: { meterId: string }[] }>("/meters?limit=500");
    const said = new Map<Protocol, unknown>();
    for (const protocol of PROTOCOLS) {
      // A relay is another way to a meter, whatever it speaks.
      const done = ofProtocol(protocol).filter(({ fault, way }) => fault === undefined && way?.kind !== "relay");
      for (const { meterId } of done) {
        note(
          "one of the meters",
          meters.find((meter) => meter.meterId === meterId),
        );
        note("task that is done", tasks.get(meterId));
      }
      const failed = ofProtocol(protocol).filter(({ fault }) => fault !== undefined && fault in REASONS);
      for (const { meterId } of failed) note("task that failed", tasks.get(meterId));
      const { meterId = "" } = done[0] ?? {};
      note("meter", await get(`/meters/${meterId}`));
      const readings = await get<Readings>(`/meters/${meterId}/readings`);
      note("readings", readings);
      const named = ({ measurement, unit, readingType }: Readings["registers"][number]) => [
        measurement,
        unit,
        readingType,
      ];
      said.set(protocol, {
        registers: readings.registers.map(named).sort(),
        channels: readings.intervals.map(({ channels }) => channels.map(named)),
        entries: readings.intervals.map(({ entries }) => entries.length),
      });
      const { jobId } = await read({ kind: "meters", meterIds: [meterId] });
      note("job", await get(`/jobs/${jobId}`));
    }
    expect(said.get("c1222")).toEqual(said.get("dlms"));
    expect(Object.keys(shapes)).toHaveLength(6);
    for (const [what, found] of Object.entries(shapes)) expect([...found], what).toHaveLength(1);
  }, 120_000);

  it("is asked by one APDU a fan-out point, in each branch and at the multicast address; the silent are asked alone", async () => {
    const witness = async () => (await headend.call<Witness>("operator", "GET", "/local/witness")).body.fanOut;
    const before = await witness();
    const operation = { kind: "readRegisters", measurements: ["energy.active.import.total"] };
    const end = await headend.runJob(
      { operation, target: { kind: "groupRoute", route: "c1222" }, retry: { passes: 1 } },
      240_000,
    );
    const after = await witness();
    expect(after.relays.map(({ repeated }, at) => repeated - (before.relays[at]?.repeated ?? 0))).toEqual([1]);
    expect((after.multicast ?? 0) - (before.multicast ?? 0)).toBe(1);
    const faulty = ofProtocol("c1222").filter(
      ({ fault }) => fault !== undefined && fault !== "slow" && fault !== "drops",
    );
    expect(end.progress).toMatchObject({ open: 0, failed: faulty.length, done: METERS / 2 - faulty.length });
    const order = { operation: { kind: "resetDemand" }, target: { kind: "groupRoute", route: "c1222" } };
    const refused = await headend.call("supervisor", "POST", "/jobs", { ...order, reason: "to see it refused" });
    expect(refused.status).toBe(422);
  }, 300_000);

  it("has met no counter and no invocation id twice", async () => {
    expect(await countersUsedTwice(headend)).toEqual([]);
  });
});
