import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BridgeProcess, bridgesOf, countersUsedTwice } from "./bridges.ts";
import { Deployment, type JobView, until } from "./deployment.ts";

interface Listed {
  readonly meters: readonly {
    readonly meterId: string;
    readonly profile: { readonly name: string };
    readonly routes: readonly { readonly kind: string }[];
  }[];
}
interface Timeline {
  readonly entries: readonly { readonly event?: string; readonly log?: string }[];
}

const METERS = 40;
const ATTACHED = 20;

describe("meters of both protocols that hold their own connection, and two bridges", () => {
  let headend: Deployment;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS), "--attached", "0.5", "--bridges", "2"]);
  }, 240_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  const held = (bridges: readonly BridgeProcess[]) =>
    bridges.reduce((sum, { heldConnections }) => sum + heldConnections, 0);
  const pipes = (bridges: readonly BridgeProcess[]) => bridges.reduce((sum, { pipesServed }) => sum + pipesServed, 0);
  const readAll = { operation: { kind: "readRegisters" }, target: { kind: "all" }, lane: "urgent" };
  const allDone = { open: 0, done: METERS, failed: 0, expired: 0, cancelled: 0 };

  it("are all read by the one bridge that gets the work, whichever of the two has their sockets", async () => {
    const before = await until(60_000, "every meter that calls in to be held, by both bridges", async () => {
      const bridges = await bridgesOf(headend);
      const both = bridges.length === 2 && bridges.every(({ heldConnections }) => heldConnections > 0);
      return both && held(bridges) === ATTACHED ? bridges : undefined;
    });
    const job = await headend.runJob(readAll);
    expect(job.progress).toMatchObject(allDone);
    const after = await bridgesOf(headend);
    // One segment is one slice is one bridge: what the other bridge holds was read through it.
    expect(pipes(after) - pipes(before)).toBeGreaterThanOrEqual(Math.min(...before.map((one) => one.heldConnections)));
    expect(held(after), "no connection was given up for it").toBe(ATTACHED);
    expect(await countersUsedTwice(headend)).toEqual([]);
  }, 120_000);

  it("have what they say by themselves stored: C12.22 ones that they have power again", async () => {
    const { body } = await headend.call<Listed>("operator", "GET", "/meters?limit=500");
    const nodes = body.meters.filter(
      ({ profile, routes }) => profile.name.startsWith("generic-us") && routes[0]?.kind === "attached",
    );
    expect(nodes.length).toBeGreaterThan(3);
    for (const { meterId } of nodes)
      await until(60_000, `${meterId} to have said so`, async () => {
        const timeline = await headend.call<Timeline>("operator", "GET", `/meters/${meterId}/timeline?kinds=event`);
        const said = timeline.body.entries.some(
          ({ event, log }) => event === "power.restored-notice" && log === "exception-report",
        );
        return said ? true : undefined;
      });
  }, 120_000);

  it("are read again after their bridge was killed: the route is lost until they call the other one", async () => {
    const [owner] = (await bridgesOf(headend)).toSorted((a, b) => b.heldConnections - a.heldConnections);
    const accepted = await headend.call<JobView>("operator", "POST", "/jobs", readAll);
    process.kill(owner?.pid ?? 0, "SIGKILL");
    const job = await headend.jobEnd(accepted.body.jobId, 240_000);
    expect(job.progress).toMatchObject(allDone);
    await until(60_000, "every meter to have called again", async () =>
      held(await bridgesOf(headend)) === ATTACHED ? true : undefined,
    );
    expect(await countersUsedTwice(headend)).toEqual([]);
    const again = await headend.runJob(readAll);
    expect(again.progress).toMatchObject(allDone);
  }, 320_000);
});
