import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, until } from "./deployment.ts";

/** The product's clock runs so many times as fast: an event of an hour is over in two minutes. */
const FACTOR = 30;
const MINUTE_MS = 60_000;
const CONTROLLED = /^(generic-(eu|us)(-(general|authenticated|suite-2))?|idis-p[23])$/;
/** Enough of them that the weather of single days does not hide what was shed. */
const HOMES_MIN = 8;
const VTN = "/openadr3/3.1.0";

interface Oadr {
  readonly id: string;
  readonly objectType: string;
}
interface Report extends Oadr {
  readonly eventID: string;
  readonly resources: readonly {
    readonly resourceName: string;
    readonly intervals: readonly {
      readonly payloads: readonly { readonly type: string; readonly values: unknown[] }[];
    }[];
  }[];
}

let headend: Deployment;
let realStart: number;
let productStart: number;
const productNow = (): number => productStart + (Date.now() - realStart) * FACTOR;
const told: Record<string, unknown>[] = [];
const callback = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  request.on("end", () => {
    told.push({ ...(JSON.parse(text) as object), authorization: request.headers.authorization });
    response.writeHead(200).end();
  });
});

beforeAll(async () => {
  realStart = Date.now();
  productStart = realStart;
  headend = await Deployment.start(["--meters", "60"], {
    HEADRACE_CLOCK: `${new Date(productStart).toISOString()}*${FACTOR}`,
  });
  await new Promise<void>((resolve) => callback.listen(0, "127.0.0.1", resolve));
}, 240_000);
afterAll(async () => {
  callback.close();
  await headend?.stop();
});

describe("an OpenADR client", () => {
  it("creates a program and an event; loads in simulated homes move; it sees the report", async () => {
    const call = <Body>(method: string, path: string, body?: unknown) =>
      headend.call<Body>("operator", method, `${VTN}${path}`, body);
    const program = await call<Oadr>("POST", "/programs", { programName: "Evening peak" });
    expect(program.status).toBe(201);
    const programID = program.body.id;

    const { body: all } = await headend.call<{ meters: { meterId: string; profile: { name: string } }[] }>(
      "operator",
      "GET",
      "/meters?limit=100",
    );
    const meters = all.meters.filter(({ profile }) => CONTROLLED.test(profile.name)).map(({ meterId }) => meterId);
    expect(meters.length).toBeGreaterThan(HOMES_MIN);
    for (const meterId of meters)
      expect(
        (
          await headend.call("supervisor", "PUT", `/demand/programs/${programID}/meters/${meterId}`, {
            consent: { how: "signed form" },
            targets: ["north"],
          })
        ).status,
      ).toBe(200);
    const outsider = meters.pop() ?? "";
    const left = await headend.call("supervisor", "DELETE", `/demand/programs/${programID}/meters/${outsider}`);
    expect(left.status).toBe(200);

    const { port } = callback.address() as AddressInfo;
    const subscribed = await call<Oadr>("POST", "/subscriptions", {
      clientName: "drms",
      objectOperations: [
        {
          objects: ["EVENT", "REPORT"],
          operations: ["CREATE"],
          callbackUrl: `http://127.0.0.1:${port}/told`,
          bearerToken: "of-the-drms",
        },
      ],
    });
    expect(subscribed.status).toBe(201);

    const start = Math.ceil((productNow() + 3 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
    const event = await call<Oadr>("POST", "/events", {
      programID,
      eventName: "hot evening",
      targets: ["north"],
      intervalPeriod: { start: new Date(start).toISOString(), duration: "PT1H" },
      intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [3] }] }],
    });
    expect(event.status).toBe(201);
    await until(20_000, "the subscriber to be told", async () =>
      told.find(({ objectType, authorization }) => objectType === "EVENT" && authorization === "Bearer of-the-drms"),
    );

    interface View {
      readonly state: string;
      readonly jobs: readonly { readonly tells: string; readonly meters: number; readonly jobId?: string }[];
    }
    const view = async () => (await headend.call<View>("operator", "GET", `/demand/events/${event.body.id}`)).body;
    const begun = await until(180_000, "the meters to be told", async () => {
      const seen = await view();
      return seen.jobs.some(({ jobId }) => jobId !== undefined) ? seen : undefined;
    });
    expect(begun.jobs).toMatchObject([{ tells: "control", meters: meters.length }]);
    const job = await headend.jobEnd(begun.jobs[0]?.jobId ?? "");
    expect(job.progress).toMatchObject({ done: meters.length, failed: 0 });

    const report = await until(1_200_000, "the report", async () => {
      const { body } = await call<Report[]>("GET", `/reports?eventID=${event.body.id}`);
      return body[0];
    });
    expect((await view()).state).toBe("measured");
    const value = (resourceName: string, type: string): number => {
      const resource = report.resources.find((one) => one.resourceName === resourceName);
      const payload = resource?.intervals[0]?.payloads.find((one) => one.type === type);
      return Number(payload?.values[0]);
    };
    expect(report.resources.map(({ resourceName }) => resourceName).sort()).toEqual(
      ["AGGREGATED_REPORT", ...meters].sort(),
    );
    expect(value("AGGREGATED_REPORT", "USAGE")).toBeLessThan(value("AGGREGATED_REPORT", "BASELINE"));

    const { body: old } = await headend.call<Oadr[]>("operator", "GET", "/openadr3/3.0.1/events");
    expect(old).toMatchObject([{ id: event.body.id, targets: [{ type: "GROUP", values: ["north"] }] }]);
    expect(told.some(({ objectType }) => objectType === "REPORT")).toBe(true);
    const reads = await headend.call("subscriber", "POST", `${VTN}/events`, {});
    expect(reads.status).toBe(403);
  }, 1_800_000);
});
