import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, type JobView, type Problem, until } from "./deployment.ts";
import { personToken } from "./person.ts";

interface Meter {
  readonly meterId: string;
  readonly profile: { readonly name: string };
}
interface Readings {
  readonly registers: readonly {
    readonly measurement: string;
    readonly value: string;
    readonly scaler: number;
    readonly at: string;
  }[];
}
interface Timeline {
  readonly entries: readonly { readonly kind: string; readonly operation?: string; readonly outcome?: string }[];
}
interface Seen {
  readonly position: string;
  readonly voltages: readonly { readonly measurement: string; readonly value: string; readonly scaler: number }[];
}
interface Tasks {
  readonly tasks: readonly {
    readonly meterId: string;
    readonly state: string;
    readonly switch?: { readonly before?: Seen; readonly after?: Seen; readonly proof?: string };
  }[];
}
interface WithFacts {
  readonly facts?: { readonly switch?: { readonly position: string; readonly at: string } };
}
interface Audit {
  readonly intact: boolean;
  readonly entries: readonly { readonly action: string; readonly at: string; readonly reason?: string }[];
}

/** Of the load side. */
function voltsOf(seen: Seen | undefined): number {
  const { value, scaler } = seen?.voltages.find(({ measurement }) => measurement === "voltage.l1.load") ?? {};
  return Number(value) * 10 ** (scaler ?? 0);
}

/** A model of each protocol whose sessions prove keys, with a sensor on the load side. */
const MODELS = ["generic-eu", "generic-us"];
const to = (position: "open" | "closed") => ({ kind: "operateSwitch", to: position });

describe("a switch", () => {
  let headend: Deployment;
  const meterOf = new Map<string, string>();
  /** Others of the first model. */
  let others: readonly string[];
  const call = <Body>(role: string, method: string, path: string, body?: unknown) =>
    headend.call<Body>(role, method, path, body);
  const order = (meterId: string, position: "open" | "closed") =>
    headend.runJob({
      operation: to(position),
      target: { kind: "meters", meterIds: [meterId] },
      reason: "nobody has paid for months",
    });
  const tasksOf = async (jobId: string) => (await call<Tasks>("operator", "GET", `/jobs/${jobId}/tasks`)).body.tasks;
  /** Where the switch is, read anew. */
  const positionOf = async (meterId: string): Promise<string> => {
    const asked = Date.now();
    await headend.runJob({ operation: { kind: "readSwitch" }, target: { kind: "meters", meterIds: [meterId] } });
    return until(20_000, `the switch of ${meterId}`, async () => {
      const { body } = await call<WithFacts>("operator", "GET", `/meters/${meterId}`);
      const { position, at } = body.facts?.switch ?? {};
      return at !== undefined && Date.parse(at) >= asked - 1_000 ? position : undefined;
    });
  };
  /** Volts on the load side, read anew. */
  const loadSide = async (meterId: string): Promise<number> => {
    await headend.runJob({ operation: { kind: "readVoltage" }, target: { kind: "meters", meterIds: [meterId] } });
    const { body } = await call<Readings>("operator", "GET", `/meters/${meterId}/readings`);
    const [load] = body.registers
      .filter(({ measurement }) => measurement === "voltage.l1.load")
      .sort((left, right) => (left.at < right.at ? 1 : -1));
    return Number(load?.value) * 10 ** (load?.scaler ?? 0);
  };

  beforeAll(async () => {
    headend = await Deployment.start(["--meters", "60"]);
    const { body } = await call<{ meters: Meter[] }>("operator", "GET", "/meters?limit=100");
    for (const model of MODELS) {
      const found = body.meters.find(({ profile }) => profile.name === model);
      if (found === undefined) throw new Error(`the town has no ${model}`);
      meterOf.set(model, found.meterId);
    }
    others = body.meters
      .filter(({ profile, meterId }) => profile.name === MODELS[0] && meterId !== meterOf.get(MODELS[0] ?? ""))
      .map(({ meterId }) => meterId);
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it.each(MODELS)(
    "of a %s opens and closes within seconds, proved by its load side",
    async (model) => {
      const meterId = meterOf.get(model) ?? "";
      const begun = performance.now();
      const opened = await order(meterId, "open");
      expect(opened.progress).toMatchObject({ done: 1, failed: 0 });
      expect(performance.now() - begun).toBeLessThan(20_000);
      const [task] = await tasksOf(opened.jobId);
      expect(task).toMatchObject({
        meterId,
        state: "done",
        switch: { before: { position: "closed" }, after: { position: "open" }, proof: "position+voltage" },
      });
      expect([voltsOf(task?.switch?.before) > 200, voltsOf(task?.switch?.after) < 30]).toEqual([true, true]);
      expect(await positionOf(meterId)).toBe("open");
      expect(await loadSide(meterId)).toBeLessThan(30);
      expect((await order(meterId, "closed")).progress).toMatchObject({ done: 1, failed: 0 });
      expect(await loadSide(meterId)).toBeGreaterThan(200);
      const timeline = await until(20_000, "both orders on the timeline", async () => {
        const { body } = await call<Timeline>("operator", "GET", `/meters/${meterId}/timeline`);
        const orders = body.entries.filter(({ operation }) => operation === "operateSwitch");
        return orders.length >= 2 ? orders : undefined;
      });
      expect(timeline.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
      const { body: audit } = await call<Audit>("supervisor", "GET", `/audit?meterId=${meterId}`);
      expect(audit.intact).toBe(true);
      expect(audit.entries.map(({ action }) => action)).toEqual([
        "order.outcome",
        "order.intent",
        "order.outcome",
        "order.intent",
      ]);
    },
    120_000,
  );

  it("is told of, signed, to who subscribed to what its log says, each entry once", async () => {
    const got: {
      readonly type: string;
      readonly id: string;
      readonly subject: string;
      readonly data: { event?: string };
    }[] = [];
    const problems: string[] = [];
    let secret = "";
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      try {
        got.push(...(new Webhook(secret).verify(body, request.headers as Record<string, string>) as typeof got));
      } catch (error) {
        problems.push(String(error));
      }
      response.writeHead(204).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    const meters = [...meterOf.values()];
    const made = await call<{ subscriptionId: string; secret: string }>("administrator", "POST", "/subscriptions", {
      url,
      filter: { kinds: ["device", "job"] },
    });
    expect(made.status).toBe(201);
    secret = made.body.secret;
    const path = `/subscriptions/${made.body.subscriptionId}`;
    expect((await call("administrator", "POST", `${path}/test`)).status).toBe(202);
    await until(30_000, "the test event", async () => got.find(({ type }) => type.endsWith("subscription.test.v1")));
    const readLogs = async (): Promise<string> => {
      const range = { from: new Date(Date.now() - 3_600_000).toISOString(), to: new Date().toISOString() };
      const { jobId } = await headend.runJob({
        operation: { kind: "readEvents", range },
        target: { kind: "meters", meterIds: meters },
      });
      await until(30_000, "the job's end to be told", async () => got.find(({ subject }) => subject === jobId));
      return jobId;
    };
    // What ingest knows of subscriptions is ten seconds old at the most.
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    await readLogs();
    for (const meterId of meters)
      for (const event of ["switch.opened", "switch.closed"])
        await until(30_000, `${event} of ${meterId} to be told`, async () =>
          got.find((one) => one.subject === meterId && one.data.event === event),
        );
    await readLogs();
    const ids = got.map(({ id }) => id);
    expect(new Set(ids).size, "what is read again is not told again").toBe(ids.length);
    expect(problems).toEqual([]);
    expect((await call("operator", "DELETE", path)).status).toBe(204);
    server.close();
  }, 180_000);

  it("is not operated while a stop stands, nor opened where somebody depends on it", async () => {
    const [meterId = ""] = meterOf.values();
    const stop = await call<{ stopId: string }>("operator", "POST", "/stops", {
      acts: "switching",
      reason: "a mistake",
    });
    expect(stop.status).toBe(201);
    expect((await order(meterId, "open")).progress).toMatchObject({ failed: 1, reasons: { unsafe: 1 } });
    const lifted = await call("supervisor", "POST", `/stops/${stop.body.stopId}/lift`, { reason: "it was none" });
    expect(lifted.status).toBe(200);
    const flags = { medical: true, priority: false, moratorium: false, reason: "a ventilator" };
    expect((await call("supervisor", "PUT", `/meters/${meterId}/flags`, flags)).status).toBe(200);
    expect((await order(meterId, "open")).progress).toMatchObject({ failed: 1, reasons: { unsafe: 1 } });
    expect(await loadSide(meterId)).toBeGreaterThan(200);
  }, 120_000);

  it("is operated at its time, after another job, or not at all where it is taken back or comes too late", async () => {
    const [timed = "", deferred = "", taken = "", dark = ""] = others;
    const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
    const later = async (meterId: string, rest: object): Promise<string> => {
      const { status, body } = await call<JobView>("operator", "POST", "/jobs", {
        operation: to("open"),
        target: { kind: "meters", meterIds: [meterId] },
        reason: "moving out",
        ...rest,
      });
      expect(status).toBe(202);
      return body.jobId;
    };
    await call("operator", "POST", "/local/power", { meterIds: [dark], on: false });
    const late = await later(dark, { deadline: inMs(6_000) });
    const atMs = Date.now() + 4_000;
    const scheduled = await later(timed, { notBefore: new Date(atMs).toISOString() });
    const after = await later(deferred, { after: { jobId: scheduled, on: "done" } });
    const never = await later(taken, { notBefore: inMs(3_600_000) });
    expect((await call("operator", "POST", `/jobs/${never}/cancel`)).status).toBe(202);

    expect((await headend.jobEnd(scheduled)).progress).toMatchObject({ done: 1 });
    const audit = await call<Audit>("supervisor", "GET", `/audit?meterId=${timed}`);
    const intent = audit.body.entries.find(({ action }) => action === "order.intent");
    expect(Date.parse(intent?.at ?? "")).toBeGreaterThanOrEqual(atMs);
    expect((await headend.jobEnd(after)).progress).toMatchObject({ done: 1 });
    expect(await tasksOf(after)).toMatchObject([{ meterId: deferred, switch: { after: { position: "open" } } }]);
    expect((await headend.jobEnd(never)).progress).toMatchObject({ cancelled: 1, done: 0 });
    expect(await positionOf(taken)).toBe("closed");
    expect((await headend.jobEnd(late)).progress).toMatchObject({ done: 0 });
    expect(await tasksOf(late)).toMatchObject([{ meterId: dark, state: "expired" }]);
    await call("operator", "POST", "/local/power", { meterIds: [dark], on: true });
    expect(await positionOf(dark)).toBe("closed");
  }, 240_000);

  it("of more meters than one may order alone goes when another person, a supervisor, has approved it", async () => {
    const { guards } = (await call<{ guards: object }>("supervisor", "GET", "/authority")).body;
    const strict = { guards: { ...guards, approveAbove: 1 }, reason: "a test" };
    expect((await call("supervisor", "PUT", "/guards", strict)).status).toBe(200);
    const asked = await call<JobView>("operator", "POST", "/jobs", {
      operation: to("open"),
      target: { kind: "meters", meterIds: others.slice(4, 6) },
      reason: "both have moved out",
    });
    const { jobId } = asked.body;
    const digest = await until(60_000, "the job to be planned", async () => {
      const { body } = await call<{ approval?: { digest?: string } }>("operator", "GET", `/jobs/${jobId}`);
      return body.approval?.digest;
    });
    const authorization = `Bearer ${await personToken(headend, "supervisor")}`;
    const path = `/jobs/${jobId}/approve`;
    const approved = await headend.request("POST", path, { authorization }, JSON.stringify({ digest }));
    expect(approved.status).toBe(202);
    expect((await headend.jobEnd(jobId)).progress).toMatchObject({ done: 2, failed: 0 });
    expect((await call("supervisor", "PUT", "/guards", { guards, reason: "it was one" })).status).toBe(200);
  }, 120_000);

  it("of a whole fleet waits for another person, and nothing is sent meanwhile", async () => {
    const accepted = await call<JobView>("operator", "POST", "/jobs", {
      operation: to("open"),
      target: { kind: "all" },
      reason: "a slip of the hand",
    });
    expect(accepted.status).toBe(202);
    const { jobId } = accepted.body;
    const { digest } = await until(60_000, "the job to be planned", async () => {
      const { body } = await call<{ approval?: { digest?: string } }>("operator", "GET", `/jobs/${jobId}`);
      return body.approval?.digest === undefined ? undefined : { digest: body.approval.digest };
    });
    const machine = await call<Problem>("supervisor", "POST", `/jobs/${jobId}/approve`, { digest });
    expect(machine.status).toBe(403);
    const { body } = await call<JobView>("operator", "GET", `/jobs/${jobId}`);
    expect(body.progress).toMatchObject({ done: 0, failed: 0 });
    expect((await call("operator", "POST", `/jobs/${jobId}/cancel`)).status).toBe(202);
  }, 120_000);
});
