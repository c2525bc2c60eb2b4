import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, type JobView, until } from "./deployment.ts";

/** One gas and one water module, after the meters. */
const METERS = 2;
const MODULES = ["SIM-000003", "SIM-000004"] as const;
const HOUR_MS = 3_600_000;

describe("gas and water modules that sleep, over MQTT", () => {
  let headend: Deployment;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS), "--sleepers", String(MODULES.length)]);
  }, 240_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  const volumes = async (meterId: string): Promise<number> => {
    const now = Date.now();
    const query = new URLSearchParams({
      from: new Date(now - 24 * HOUR_MS).toISOString(),
      to: new Date(now).toISOString(),
    });
    const { body } = await headend.call<{ intervals: { entries: unknown[] }[] }>(
      "operator",
      "GET",
      `/meters/${meterId}/readings?${query}`,
    );
    return body.intervals[0]?.entries.length ?? 0;
  };
  const wake = async (): Promise<void> => {
    const { body } = await headend.call<{ modules: number }>("operator", "GET", "/local/wake");
    expect(body.modules).toBe(MODULES.length);
  };

  it("say the volumes of a day when they wake, and answer what lay in their mailboxes", async () => {
    const deadline = new Date(Date.now() + 2 * HOUR_MS).toISOString();
    const request = {
      operation: { kind: "readRegisters" },
      target: { kind: "meters", meterIds: MODULES },
      lane: "urgent",
      deadline,
    };
    const accepted = await headend.call<JobView>("operator", "POST", "/jobs", request);
    const { jobId } = accepted.body;
    await until(90_000, "a task to wait as sleeping", async () => {
      const { body } = await headend.call<JobView>("operator", "GET", `/jobs/${jobId}`);
      return body.progress.reasons["open:sleeping"] === undefined && body.progress.done < MODULES.length
        ? undefined
        : true;
    });
    await until(120_000, "both modules to have answered", async () => {
      await wake();
      const { body } = await headend.call<JobView>("operator", "GET", `/jobs/${jobId}`);
      return body.progress.done === MODULES.length ? body : undefined;
    });
    for (const meterId of MODULES)
      await until(30_000, `the volumes of ${meterId}`, async () => ((await volumes(meterId)) >= 23 ? true : undefined));
  }, 300_000);
});
