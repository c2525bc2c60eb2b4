import { type GroupAnswers, groupAnswers } from "../../shared/bridge/group-answers.ts";
import { askedOf, PAPER_KEY, paperAnswer, paperKey, paperProtocol } from "../../shared/bridge/group-fixture.ts";
import type { GroupPorts } from "../../shared/bridge/group-send.ts";
import { memoryGroupRequests } from "../../shared/bridge/memory-group-requests.ts";
import type { ResultPorts } from "../../shared/bridge/result-batcher.ts";
import { GROUP_PART, GROUP_SEGMENT, type GroupRequests } from "../../shared/jobs/group-request.ts";
import { GroupRoute } from "../../shared/jobs/group-route.ts";
import type { JobId } from "../../shared/jobs/job.ts";
import type { JobRequest } from "../../shared/jobs/submit-job.ts";
import type { Measurement } from "../../shared/metering/measurement.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { below, chance, type Random, seeded } from "../../shared/ports/random.ts";
import { effect } from "./effects.ts";
import type { SimpleMeter } from "./simple-meters.ts";
import { simulatedAccess } from "./simulated-access.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { violate } from "./violations.ts";
import type { World } from "./world-ports.ts";

export const POINTS = 4;
const MEASUREMENT: Measurement = "voltage.l1.line";
const PROFILE = { name: "generic-eu", version: 1 };
/** No meter has so much: who believes it has believed a stranger. */
const FORGED = 10n ** 15n;
/** Shares of answers. */
const LOST = 0.15;
const TWICE = 0.1;
const FORGERIES = 0.05;
const ELSEWHERE = 0.3;
const LATE_MS = 400_000;

export interface GroupCounts {
  /** Messages to fan-out points, those that were sent there before, and jobs that they belong to. */
  sent: number;
  repeated: number;
  jobs: number;
  /** Answers that came to a task, and those among them that came after the window. */
  answered: number;
  late: number;
  /** What the tasks made of them. */
  taken: number;
}

interface Sent {
  readonly apdu: string;
  readonly toPoints: Map<number, number>;
}

/** Relays with meters behind them, and what a headend sends to their group. */
export class GroupField {
  readonly route: GroupRoute;
  readonly counts: GroupCounts = { sent: 0, repeated: 0, jobs: 0, answered: 0, late: 0, taken: 0 };
  readonly #world: World;
  readonly #random: Random;
  readonly #requests: GroupRequests = memoryGroupRequests();
  readonly #meters: readonly SimpleMeter[];
  readonly #byTitle: ReadonlyMap<string, SimpleMeter>;
  /** By invocation id: what was sent under it. */
  readonly #sent = new Map<number, Sent>();
  readonly #jobOf = new Map<JobId, number>();
  /** What each meter has answered to a request: it says the same again, if anything. */
  readonly #said = new Map<string, Uint8Array>();
  readonly #desks = new Map<SimulatedProcess, GroupAnswers>();

  constructor(world: World, meters: readonly SimpleMeter[], seed: number) {
    this.#world = world;
    this.#random = seeded(`group ${seed}`);
    this.#meters = meters;
    this.#byTitle = new Map(meters.map((meter) => [meter.systemTitle, meter]));
    this.route = GroupRoute.parse({
      name: "all",
      title: ".0.7",
      members: { kind: "all" },
      profile: PROFILE,
      windowSeconds: 60 + below(this.#random, 240),
      points: Array.from({ length: POINTS }, (_, at) => ({ kind: "multicast", address: "239.1.2.3", port: 1 + at })),
      keyId: paperKey.id,
      version: 1,
    });
  }

  request(number: number): JobRequest {
    const random = this.#random;
    return {
      operation: { kind: "readRegisters", measurements: [MEASUREMENT] },
      target: { kind: "groupRoute", route: this.route.name },
      lane: chance(random, 0.5) ? "bulk" : "urgent",
      retry: { passes: 1 + below(random, 3), backoffSeconds: 10 + below(random, 60) },
      ...(chance(random, 0.3) ? { spreadSeconds: below(random, 120) } : {}),
      idempotencyKey: `group ask ${number}`,
    };
  }

  /** What a bridge asks groups with. */
  ports(process: SimulatedProcess): GroupPorts {
    const world = this.#world;
    const reads = true;
    const requests = this.#requests;
    return {
      keys: {
        open: () =>
          effect(world, process, "open group key", async () => ({ route: this.route, key: paperKey }), { reads }),
      },
      requests: {
        ofJob: (jobId) => effect(world, process, "group request", () => requests.ofJob(jobId), { reads }),
        byInvocationId: (id) =>
          effect(world, process, "group request by id", () => requests.byInvocationId(id), { reads }),
        keep: (request) => effect(world, process, "keep group request", () => requests.keep(request)),
        draw: (epoch, now) => effect(world, process, "draw invocation id", () => requests.draw(epoch, now)),
      },
      protocols: () => paperProtocol("dlms"),
      fanOut: {
        send: (point, apdu, until) =>
          effect(world, process, `send to fan-out point ${point.port}`, async () => {
            if (world.faults.strikes("unreachable")) {
              world.faults.note("unreachable", "all");
              throw new LinkError("link.unreachable", "refused");
            }
            this.#arrives(process, point.port - 1, apdu, until);
          }),
      },
    };
  }

  /** The desk to which answers come at a task. */
  open(process: SimulatedProcess, results: Pick<ResultPorts, "queue" | "batches">): void {
    const world = this.#world;
    const reads = true;
    const access = simulatedAccess(world, process);
    const desk = groupAnswers({
      clock: process.clock,
      sessionClock: process.clock,
      crypto: nodeCrypto,
      access,
      registry: {
        claims: (names) =>
          effect(
            world,
            process,
            "claims",
            async () =>
              names.map(({ value }) => {
                const meter = this.#byTitle.get(value);
                return meter && { meterId: MeterId.parse(meter.meterId), at: 0 };
              }),
            { reads },
          ),
        meters: async (meterIds) =>
          new Map(
            this.#meters
              .filter(({ meterId }) => meterIds.includes(meterId as never))
              .map(({ meterId, segment, slot }) => [
                MeterId.parse(meterId),
                { state: "enrolled", place: { segment, slot } } as never,
              ]),
          ),
      },
      profiles: async (name) => PROFILES.get(name),
      vault: { open: async ({ meterId }) => ({ unicast: keyOf(meterId) }) },
      ledger: world.ledger.of(process),
      requests: this.ports(process).requests,
      protocols: [paperProtocol("dlms")],
      results: {
        ...results,
        queue: {
          send: (body, lane) => {
            if (body.includes(String(FORGED))) violate(world.violations, `${process.name} believes a stranger`);
            return results.queue.send(body, lane);
          },
        },
      },
      bridgeId: `${process.name}-groups`,
    });
    this.#desks.set(process, desk);
  }

  /** Of a task that ends in good order. */
  async drain(process: SimulatedProcess): Promise<void> {
    await this.#desks.get(process)?.drain();
  }

  /** What tasks have counted since. */
  check(): void {
    for (const desk of this.#desks.values()) this.counts.taken += desk.counts()?.taken ?? 0;
    this.counts.jobs = this.#jobOf.size;
  }

  #arrives(process: SimulatedProcess, point: number, octets: Uint8Array, until: number): void {
    const { violations, faults, time } = this.#world;
    const asked = askedOf(octets, PAPER_KEY);
    if (asked === undefined) {
      violate(violations, `point ${point} got what is not secured with the group's key`);
      return;
    }
    const apdu = toHex(octets);
    const sent = this.#sent.get(asked.id) ?? { apdu, toPoints: new Map<number, number>() };
    this.#sent.set(asked.id, sent);
    if (sent.apdu !== apdu) violate(violations, `invocation id ${asked.id} was used for two messages`);
    const times = (sent.toPoints.get(point) ?? 0) + 1;
    sent.toPoints.set(point, times);
    this.counts.sent++;
    if (times > 1) this.counts.repeated++;
    void this.#requests.byInvocationId(asked.id).then((request) => {
      if (request === undefined) return violate(violations, `invocation id ${asked.id} was sent before it was kept`);
      const { jobId } = request;
      const first = this.#jobOf.get(jobId) ?? asked.id;
      this.#jobOf.set(jobId, first);
      if (first !== asked.id) violate(violations, `job ${jobId.slice(0, 4)} has asked under two invocation ids`);
      const excuses = faults.excuses({ jobId, segment: GROUP_SEGMENT, part: GROUP_PART });
      if (times > 1 + excuses)
        violate(violations, `point ${point} got a request ${times} times after ${excuses} faults that explain one`);
    });
    const windowMs = Math.max(1_000, until - time.now);
    for (const meter of this.#meters)
      if (meter.port % POINTS === point) this.#hears(meter, asked.id, process, windowMs);
  }

  /** A meter behind a point: it answers, sooner or later, or it doesn't; a stranger may speak in its name. */
  #hears(meter: SimpleMeter, id: number, process: SimulatedProcess, windowMs: number): void {
    const random = this.#random;
    const { faults, time } = this.#world;
    const key = `${meter.meterId} ${id}`;
    const delayMs = below(random, Math.round(windowMs * 0.9));
    if (chance(random, FORGERIES)) {
      const forged = paperAnswer(meter.systemTitle, PAPER_KEY, { id }, new Map([[MEASUREMENT, FORGED]]), time.now);
      this.#deliver(process, forged, below(random, windowMs));
    }
    const before = this.#said.get(key);
    if (chance(random, LOST) || faults.strikes("silent")) return;
    const at = Math.max(meter.lastReadAt + 1, time.now + (before === undefined ? 0 : 1));
    if (before === undefined) meter.lastReadAt = at;
    const answer =
      before ??
      paperAnswer(meter.systemTitle, keyOf(meter.meterId), { id }, new Map([[MEASUREMENT, BigInt(++meter.reads)]]), at);
    this.#said.set(key, answer);
    const late = faults.strikes("delayed");
    this.#deliver(process, answer, late ? windowMs + below(random, LATE_MS) : delayMs);
    if (late) this.counts.late++;
    if (chance(random, TWICE)) this.#deliver(process, answer, below(random, windowMs * 2));
  }

  /** Over the sender's connection, or to any task; to one that is gone it is lost. */
  #deliver(process: SimulatedProcess, answer: Uint8Array, afterMs: number): void {
    this.#world.time.after(afterMs, () => {
      const alive = [...this.#desks].filter(([{ dead }]) => !dead);
      const elsewhere = chance(this.#random, ELSEWHERE)
        ? alive[below(this.#random, Math.max(1, alive.length))]
        : undefined;
      const [to, desk] = elsewhere ?? [process, this.#desks.get(process)];
      if (to.dead || desk === undefined) return;
      void to.later(1).then(() => {
        this.counts.answered++;
        desk.receive(answer);
      });
    });
  }
}

const keyOf = (meterId: string): string =>
  toHex(nodeCrypto.hash("sha256", new TextEncoder().encode(meterId)).subarray(0, 16));
