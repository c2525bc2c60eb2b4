import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AContext } from "../../shared/c1222/a-context.ts";
import { sameTitle } from "../../shared/c1222/ap-title.ts";
import { ApduSplitter } from "../../shared/c1222/apdu-splitter.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { decode } from "../../shared/wire/codec.ts";
import { Deployment, type JobView, type Problem, until } from "./deployment.ts";

const METERS = 160;
const ROUTE = "c1222";
const REGISTER = "energy.active.import.total";
const hasTshark = spawnSync("tshark", ["--version"]).status === 0;

type Point =
  | { readonly kind: "relay"; readonly host: string; readonly port: number; readonly path: readonly string[] }
  | { readonly kind: "multicast"; readonly address: string; readonly port: number };
interface RouteView {
  readonly title: string;
  readonly points: readonly Point[];
}
interface GroupJobView extends JobView {
  readonly tasks: number;
  readonly fanOut: { readonly sent: number; readonly open: number; readonly failed: number };
}
interface Witness {
  readonly sessions: number;
  readonly violations: readonly unknown[];
  readonly fanOut: {
    readonly relays: readonly { readonly title: string; readonly repeated: number }[];
    readonly multicast?: number;
  };
}
interface Readings {
  readonly registers: readonly { readonly measurement: string; readonly value: string; readonly at: string }[];
}

const isMulticast = (point: Point): boolean => point.kind === "multicast";
const addressOf = (point: Point): string => (point.kind === "relay" ? point.host : point.address);

/** What goes to fan-out points, as tshark sees it on the loopback interface. */
class Capture {
  readonly #child: ChildProcess;
  readonly #file: string;
  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async start(folder: string, points: readonly Point[]): Promise<Capture> {
    const file = join(folder, "fan-out.pcapng");
    const filter = points.map((point) => `(dst host ${addressOf(point)} and dst port ${point.port})`).join(" or ");
    const child = spawn("tshark", ["-i", "lo", "-f", filter, "-w", file, "-q"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let told = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    await until(20_000, "tshark to capture", async () => (told.includes("Capturing on") ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return new Capture(child, file);
  }

  /** APDUs that were addressed to the group, hex, by the address that they were sent to. */
  async end(title: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGINT");
    await ended;
    const fields = ["ip.dst", "tcp.stream", "tcp.payload", "udp.payload"].flatMap((field) => ["-e", field]);
    const listed = spawnSync("tshark", ["-r", this.#file, "-T", "fields", ...fields], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(listed.status, listed.stderr).toBe(0);
    const splitters = new Map<string, ApduSplitter>();
    const found = new Map<string, string[]>();
    for (const line of listed.stdout.split("\n")) {
      const [to = "", stream = "", tcp = "", udp = ""] = line.split("\t");
      const splitter = splitters.get(stream) ?? new ApduSplitter();
      if (stream !== "") splitters.set(stream, splitter);
      const octetsOf = (field: string) => fromHex(field.replaceAll(":", ""));
      const apdus = tcp !== "" ? splitter.push(octetsOf(tcp)) : udp !== "" ? [octetsOf(udp)] : [];
      for (const apdu of apdus)
        if (sameTitle(decode(AContext, apdu).calledApTitle ?? ".", title))
          found.set(to, [...(found.get(to) ?? []), toHex(apdu)]);
    }
    return found;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

describe("the C12.22 half of a town, asked all at once", () => {
  let headend: Deployment;
  let folder: string;
  let capture: Capture | undefined;
  let captured: ReadonlyMap<string, readonly string[]> | undefined;
  let route: RouteView;
  let members: readonly string[];
  let before: Witness;
  let after: Witness;
  let job: GroupJobView;
  const call = <Body>(role: string, method: string, path: string, body?: unknown) =>
    headend.call<Body>(role, method, path, body);
  const witness = async (): Promise<Witness> => (await call<Witness>("operator", "GET", "/local/witness")).body;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "headrace-groups-"));
    headend = await Deployment.start(["--meters", String(METERS), "--faults", "silent=0.05"]);
    route = (await call<RouteView>("operator", "GET", `/group-routes/${ROUTE}`)).body;
    members = (await call<{ meterIds: string[] }>("operator", "GET", `/groups/${ROUTE}?limit=1000`)).body.meterIds;
    before = await witness();
    if (hasTshark) capture = await Capture.start(folder, route.points);
    job = (await headend.runJob(
      {
        operation: { kind: "readRegisters", measurements: [REGISTER] },
        target: { kind: "groupRoute", route: ROUTE },
        retry: { passes: 1 },
      },
      360_000,
    )) as GroupJobView;
    after = await witness();
    captured = await capture?.end(route.title);
  }, 600_000);
  afterAll(async () => {
    capture?.kill();
    await rm(folder, { recursive: true, force: true });
    expect(await headend.stop()).toBe(0);
  });

  it("is one APDU a relay and one to the multicast address: the points say so, and what is on the wire", () => {
    expect(route.points.filter((point) => !isMulticast(point)).length).toBeGreaterThan(0);
    expect(route.points.filter(isMulticast).length).toBe(1);
    expect(job.fanOut).toEqual({ sent: route.points.length, open: 0, failed: 0 });
    for (const relay of after.fanOut.relays) {
      const was = before.fanOut.relays.find(({ title }) => title === relay.title);
      expect(relay.repeated - (was?.repeated ?? 0), relay.title).toBe(1);
    }
    expect(after.fanOut.relays.length).toBe(route.points.length - 1);
    expect((after.fanOut.multicast ?? 0) - (before.fanOut.multicast ?? 0)).toBe(1);
    if (captured === undefined) return;
    for (const point of route.points) expect(captured.get(addressOf(point))?.length, addressOf(point)).toBe(1);
    expect(new Set([...captured.values()].flat()).size).toBe(1);
  });

  it("ends complete: who answered is read, the silent were asked by themselves", async () => {
    const { done, failed, open, expired, cancelled, reasons } = job.progress;
    expect(members.length).toBeGreaterThan(METERS / 3);
    expect({ open, expired, cancelled, ended: done + failed }).toEqual({
      open: 0,
      expired: 0,
      cancelled: 0,
      ended: members.length,
    });
    expect(job.tasks).toBe(members.length);
    expect(reasons).toEqual({ timeout: failed });
    expect(failed).toBeGreaterThan(0);
    // Sessions are of those alone that did not answer: most did.
    const polled = after.sessions - before.sessions;
    expect(polled).toBeGreaterThanOrEqual(failed);
    expect(polled).toBeLessThan(members.length / 2);
    expect(after.violations).toEqual([]);
    const read = await Promise.all(
      members.map(async (meterId) => {
        const { body } = await call<Readings>("operator", "GET", `/meters/${meterId}/readings`);
        return body.registers.filter(({ measurement }) => measurement === REGISTER).length;
      }),
    );
    expect(read.filter((count) => count === 1).length).toBe(done);
    expect(read.filter((count) => count === 0).length).toBe(failed);
  });

  it("never by a switch order, nor by anything else that a group's key does not authorise", async () => {
    const order = (operation: object) =>
      call<Problem>("operator", "POST", "/jobs", {
        operation,
        target: { kind: "groupRoute", route: ROUTE },
        reason: "nobody pays",
      });
    const open = await order({ kind: "operateSwitch", to: "open" });
    expect(open.status).toBe(422);
    expect(open.body.errors).toMatchObject([{ field: "operation.kind" }]);
    const reset = await order({ kind: "resetDemand" });
    expect(reset.status).toBe(422);
    expect(reset.body.errors).toMatchObject([{ field: "operation.kind" }]);
    expect((await witness()).fanOut).toEqual(after.fanOut);
  });

  it("shows nobody the group's key, and lets administrators alone change the route", async () => {
    expect(JSON.stringify(route)).not.toMatch(/"key"/);
    const changed = await call<Problem>("operator", "PUT", `/group-routes/${ROUTE}`, {});
    expect(changed.status).toBe(403);
    expect((await call("administrator", "DELETE", "/group-routes/nowhere")).status).toBe(404);
  });
});
