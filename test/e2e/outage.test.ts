import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, until } from "./deployment.ts";

/** The product's clock runs so many times as fast: what holds for a minute is over in six seconds. */
const FACTOR = 10;
/** Four transformers of one feeder, of 20 meters the first three; the first two on one lateral. */
const METERS = 74;
const NODES = ["node,kind,parent,feeder", "L1,lateral,F1,F1", "T1,transformer,L1,F1", "T2,transformer,L1,F1"];
/** Models that say that they lost supply; the others can only be asked. */
const GASPS = /^generic-eu(-general)?$/;

/** What takes seconds on a machine that has nothing else to do. */
const WAIT_MS = 180_000;

interface Outage {
  readonly outageId: string;
  readonly node: string;
  readonly kind: string;
  readonly state: string;
  readonly within?: string;
  readonly endedAt?: string;
}
interface WithMeters extends Outage {
  readonly meters: readonly { readonly meterId: string; readonly gasped: boolean; readonly power: string }[];
}
interface Job {
  readonly operation: { readonly kind: string };
  readonly reason?: string;
}
interface Power {
  readonly power: string;
  readonly by?: string;
}
interface Check {
  readonly checkId: string;
  readonly verdict: string;
  readonly because: string;
  readonly final: boolean;
  readonly evidence: { readonly outageId?: string; readonly lineVolts: readonly number[] };
}
interface Timeline {
  readonly entries: readonly { readonly kind: string; readonly event?: string }[];
}
interface Told {
  readonly EndDeviceEvents: readonly {
    readonly issuerTrackingID: string;
    readonly status: { readonly value: string };
    readonly EndDeviceEventType: { readonly ref: string };
  }[];
}

describe("a feeder of simulated meters that lose power", () => {
  let headend: Deployment;
  const gasping = new Set<string>();
  const ask = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await headend.call<Body>("operator", method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const named = (number: number): string => `SIM-${String(number).padStart(6, "0")}`;
  const metersOf = (transformer: number): string[] =>
    Array.from({ length: METERS }, (_, index) => named(index + 1)).slice((transformer - 1) * 20, transformer * 20);
  /** `lost`: of so many of those that say it, what they say is lost. */
  async function power(meterIds: readonly string[], on: boolean, lost: number): Promise<void> {
    const unheard = meterIds.filter((meterId) => gasping.has(meterId)).slice(0, lost);
    const heard = meterIds.filter((meterId) => !unheard.includes(meterId));
    for (const [ids, told] of [[unheard, false] as const, [heard, true] as const])
      if (ids.length > 0)
        expect(await ask("POST", "/local/power", { meterIds: ids, on, told })).toEqual({ meters: ids.length });
  }
  const outages = async (): Promise<readonly Outage[]> =>
    (await ask<{ outages: readonly Outage[] }>("GET", "/outages?state=all")).outages;
  /** The outage of a node, once it is in that state. */
  const outageOf = (node: string, state: string): Promise<Outage> =>
    until(WAIT_MS, `the outage of ${node} to be ${state}`, async () =>
      (await outages()).find((one) => one.node === node && one.state === state),
    );
  const checkOf = async (meterId: string): Promise<Check> => {
    const { checkId } = await ask<Check>("POST", `/meters/${meterId}/no-power-checks`, { reference: "case 7" });
    return until(WAIT_MS, `the verdict on ${meterId}`, async () => {
      const check = await ask<Check>("GET", `/meters/${meterId}/no-power-checks/${checkId}`);
      return check.final ? check : undefined;
    });
  };

  beforeAll(async () => {
    const args = ["--meters", String(METERS), "--protocols", "dlms=1", "--attached", "0.1"];
    const clock = `${new Date().toISOString()}*${FACTOR}`;
    headend = await Deployment.start(args, { HEADRACE_CLOCK: clock });
    const { meters } = await ask<{ meters: { meterId: string; profile: { name: string } }[] }>(
      "GET",
      "/meters?limit=100",
    );
    for (const { meterId, profile } of meters) if (GASPS.test(profile.name)) gasping.add(meterId);
    await headend.call("administrator", "POST", "/electrical-nodes", { csv: NODES.join("\n") });
  }, 240_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  it("is an outage of the device that they all hang on, restored when each is asked, and what stays dark is one within it", async () => {
    const [north, south, island, thin] = [metersOf(1), metersOf(2), metersOf(3), metersOf(4)];
    await power([...north, ...south], false, 10);
    const says = thin.filter((meterId) => gasping.has(meterId)).length;
    await power(thin, false, says - 2);
    const lateral = await outageOf("L1", "confirmed");
    expect(lateral.kind).toBe("lateral");
    const { meters } = await until(WAIT_MS, "what its meters said to be heard", async () => {
      const found = await ask<WithMeters>("GET", `/outages/${lateral.outageId}`);
      return found.meters.filter(({ gasped }) => gasped).length > 15 ? found : undefined;
    });
    expect(meters.map(({ meterId }) => meterId).sort()).toEqual([...north, ...south]);

    const [dark, lit] = await Promise.all([checkOf(south[3] ?? ""), checkOf(island[0] ?? "")]);
    expect(dark).toMatchObject({ verdict: "utility-side", because: "outage-known" });
    expect(dark.evidence.outageId).toBe(lateral.outageId);
    expect(lit).toMatchObject({ verdict: "customer-side", because: "supply-up-to-the-meter" });
    expect(lit.evidence.lineVolts[0]).toBeGreaterThan(200);

    // Two last gasps of a dozen say little: who hangs beside them is asked, and stays silent.
    const asked = await outageOf("T4", "confirmed");
    expect((await ask<WithMeters>("GET", `/outages/${asked.outageId}`)).meters).toHaveLength(thin.length);
    const { jobs } = await ask<{ jobs: readonly Job[] }>("GET", "/jobs?limit=100");
    const detection = jobs.filter(({ reason }) => reason?.startsWith("Outage detection") === true);
    expect(new Set(detection.map(({ operation }) => operation.kind))).toEqual(new Set(["ping"]));
    expect((await outages()).filter(({ state }) => state === "confirmed")).toHaveLength(2);

    const quiet = north.filter((meterId) => gasping.has(meterId)).slice(0, 5);
    await power(north, true, quiet.length);
    await power(thin, true, 0);
    const nested = await outageOf("T2", "confirmed");
    expect(nested.within).toBe(lateral.outageId);
    expect((await outageOf("L1", "restored")).endedAt).toBeDefined();
    for (const meterId of quiet)
      expect(
        await ask<Power>("GET", `/meters/${meterId}/power`),
        "it was asked, since it did not say so",
      ).toMatchObject({
        power: "on",
        by: "answer",
      });
    await power(south, true, 5);
    await Promise.all([outageOf("T2", "restored"), outageOf("T4", "restored")]);
    expect((await ask<{ outages: unknown[] }>("GET", "/outages")).outages).toEqual([]);
    const { EndDeviceEvents: told } = await ask<Told>("GET", "/outage-events?limit=200");
    const of = ({ outageId }: Outage) => told.filter(({ issuerTrackingID }) => issuerTrackingID === outageId);
    expect(of(lateral).map(({ status }) => status.value)).toEqual(["confirmed", "restoring", "restored"]);
    expect(of(nested).map(({ status }) => status.value)).toEqual(["confirmed", "restoring", "restored"]);
    const loud = south.findLast((meterId) => gasping.has(meterId));
    const { entries } = await ask<Timeline>("GET", `/meters/${loud}/timeline?kinds=event`);
    expect(entries.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["power.last-gasp", "power.restored-notice"]),
    );
  }, 600_000);
});
