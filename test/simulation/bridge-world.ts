import { type Bridge, type BridgePorts, startBridge } from "../../shared/bridge/bridge.ts";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import { type MemoryAccess, memoryAccess } from "../../shared/bridge/memory-access.ts";
import type { SliceOutcome } from "../../shared/bridge/slice-runner.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { Job } from "../../shared/jobs/job.ts";
import type { Lane } from "../../shared/jobs/lane.ts";
import type { Ledger } from "../../shared/jobs/ledger.ts";
import { memoryLedger } from "../../shared/jobs/memory-ledger.ts";
import {
  decodeMessage,
  encodeMessage,
  type ResultBatch,
  ResultBatch as ResultBatchCodec,
  ResultMessage,
  WorkItem,
} from "../../shared/jobs/messages.ts";
import type { Slice } from "../../shared/jobs/slice.ts";
import { advance } from "../../shared/jobs/slice-machine.ts";
import { noSlots, setSlot } from "../../shared/jobs/slots.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import { lives, MemoryLane } from "./memory-lane.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";
import { type WorldMeter, WorldMeters } from "./world-meters.ts";

export interface World {
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  readonly access: MemoryAccess;
  /** The access table is an older copy from now on. */
  restore(copy: MemoryAccess): void;
  readonly meters: ReadonlyMap<string, WorldMeter>;
  readonly lanes: Readonly<Record<Lane, MemoryLane>>;
  readonly batches: ResultBatch[];
  readonly objects: Map<string, ResultBatch>;
  readonly outcomes: { lane: Lane; outcome: SliceOutcome }[];
  readonly poison: string[];
  readonly trouble: unknown[];
  readonly watermarks: Map<Lane, number>;
  /** Every counter that any AEAD call used, a meter. */
  readonly counters: Map<string, Set<number>>;
  /** Violations seen by the meters. */
  readonly repeated: string[];
  epoch: number;
  /** Ingest takes what arrives; false: batches pile up. */
  ingesting: boolean;
  resultQueueFails: number;
  meter(slot: number, change?: Partial<AccessItem>, behaviour?: Partial<WorldMeter>): Promise<WorldMeter>;
  plan(options?: PlanOptions): Promise<Slice>;
  send(lane: Lane, slice: Slice): void;
  /** `change`: other ports, or a function that puts something before them. */
  bridge(change?: Partial<BridgePorts> | PortsChange): Bridge & { kill(): void };
  ingest(): Promise<void>;
  /** What the sweep does for one slice, each minute. */
  sweep(slice?: Slice): Promise<void>;
  slice(slice?: Slice): Promise<Slice>;
}

export type PortsChange = (ports: BridgePorts, kill: () => void) => BridgePorts;

export interface PlanOptions {
  readonly slots?: readonly number[];
  readonly lane?: Lane;
  readonly operation?: Operation;
  readonly deadlineMs?: number;
  readonly passes?: number;
  readonly job?: string;
  readonly filter?: MeterFilter;
  readonly target?: Job["target"];
  readonly test?: true;
}

const JOB = "0123456789abcdefghijklmnop";
const SEGMENT = 3;

export async function world(): Promise<World> {
  const clock = virtualClock();
  const ledger = memoryLedger();
  let access = memoryAccess();
  const meters = new WorldMeters(clock);
  const lane = () => new MemoryLane(clock);
  const lanes = { commands: lane(), interactive: lane(), urgent: lane(), bulk: lane(), images: lane() };
  let bridges = 0;

  /** A port of a killed bridge never answers again. */
  const mortal = <T extends object>(port: T, gone: AbortSignal): T =>
    new Proxy(port, {
      get(target, name, self) {
        const member: unknown = Reflect.get(target, name, self);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) =>
          gone.aborted ? new Promise<never>(() => {}) : (member as (...a: unknown[]) => unknown).apply(target, args);
      },
    });

  const self: World = {
    clock,
    ledger,
    get access() {
      return access;
    },
    restore(copy) {
      access = copy;
    },
    meters: meters.byId,
    lanes,
    batches: [],
    objects: new Map(),
    outcomes: [],
    poison: [],
    trouble: [],
    watermarks: new Map(),
    counters: meters.counters,
    repeated: meters.repeated,
    epoch: 1,
    ingesting: true,
    resultQueueFails: 0,
    async meter(slot, change = {}, behaviour = {}) {
      const item: AccessItem = {
        segment: SEGMENT,
        slot,
        meterId: MeterId.parse(`meter-${slot}`),
        routes: [{ kind: "dial", host: "127.0.0.1", port: 10_000 + slot, transport: "tcp" }],
        profile: { name: "generic-eu", version: 1 },
        systemTitle: slot.toString(16).padStart(16, "0"),
        sealedKeys: { blob: new Uint8Array([slot & 0xff]), version: 1 },
        counterOffset: 0n,
        releasedBase: 0n,
        lastOrder: 0,
        flags: { medical: false, priority: false, moratorium: false },
        ...change,
      };
      await access.createAccessItem(item);
      return meters.add(item, behaviour);
    },
    async plan({
      slots = [0],
      lane = "bulk",
      operation,
      deadlineMs = 3_600_000,
      passes = 3,
      job = JOB,
      filter,
      target,
      test,
    } = {}) {
      const parsed = Job.parse({
        jobId: job,
        operation: operation ?? { kind: "readRegisters" },
        target: target ?? { kind: "all" },
        lane,
        state: "running",
        createdAt: clock.now(),
        deadline: clock.now() + deadlineMs,
        retry: { passes, backoffSeconds: 60 },
        caller: { id: "test", roles: ["operator"] },
        ...(filter === undefined ? {} : { filter }),
        ...(test === undefined ? {} : { test }),
      });
      await ledger.createJob(parsed);
      const targeted = noSlots();
      for (const slot of slots) setSlot(targeted, slot, "open");
      const slice: Slice = {
        jobId: parsed.jobId,
        segment: SEGMENT,
        part: 0,
        state: "queued",
        lane,
        generation: 1,
        version: 1,
        slots: targeted,
        passes: 0,
        uncleanEnds: 0,
        sentAt: clock.now(),
        deadline: parsed.deadline,
      };
      await ledger.createSlice(slice);
      self.send(lane, slice);
      return slice;
    },
    send(lane, { jobId, segment, part, generation }) {
      const body = encodeMessage(WorkItem, { v: 1, job: jobId, segment, part, generation });
      lanes[lane].send(body);
    },
    bridge(change = {}) {
      const gone = new AbortController();
      const kill = (): void => {
        gone.abort();
        meters.hangUp();
      };
      const changed: PortsChange = typeof change === "function" ? change : (ports) => ({ ...ports, ...change });
      const bridgeId = `bridge-${++bridges}`;
      const events = {
        slice: (lane: Lane, _item: WorkItem, outcome: SliceOutcome) => void self.outcomes.push({ lane, outcome }),
        poison: (lane: Lane) => void self.poison.push(lane),
        trouble: (_lane: Lane, error: unknown) => void self.trouble.push(error),
      };
      const watched: BridgePorts["ledger"] = {
        ...ledger,
        async raiseWatermark(lane, sentAt) {
          self.watermarks.set(lane, sentAt);
        },
      };
      const own: BridgePorts = {
        clock,
        sessionClock: clock,
        random: seeded(bridgeId),
        crypto: nodeCrypto,
        ledger: mortal(watched, gone.signal),
        access: mortal(access, gone.signal),
        activeEpoch: async () => self.epoch,
        profiles: async (name) => PROFILES.get(name),
        drivers: driverRegistry([meters.driver(gone.signal)]),
        vault: { open: async () => ({ unicast: "00".repeat(16), authentication: "00".repeat(16) }) },
        dial: meters.dial(gone.signal),
        clientSystemTitle: "4852440000000001",
        receivers: {
          commands: lanes.commands.receiver(gone.signal),
          interactive: lanes.interactive.receiver(gone.signal),
          urgent: lanes.urgent.receiver(gone.signal),
          bulk: lanes.bulk.receiver(gone.signal),
          images: lanes.images.receiver(gone.signal),
        },
        results: {
          queue: {
            async send(body) {
              await lives(gone.signal);
              if (self.resultQueueFails > 0) {
                self.resultQueueFails--;
                throw new Error("the results queue is throttled");
              }
              const message = decodeMessage(ResultMessage, body);
              const batch = "object" in message ? self.objects.get(message.object) : message;
              if (batch === undefined) throw new Error("a message names an object that is not there");
              self.batches.push(batch);
              if (self.ingesting) await self.ingest();
            },
          },
          batches: {
            async putText(name, text) {
              const key = `batches/${name.batch}`;
              self.objects.set(key, decodeMessage(ResultBatchCodec, text));
              return key;
            },
          },
        },
        bridgeId,
        mayReceive: () => true,
      };
      return Object.assign(startBridge(changed(own, kill), events, 64), { kill });
    },
    async ingest() {
      while (ingested < self.batches.length) await apply(self.batches[ingested++]!);
    },
    async sweep(key) {
      const slice = await self.slice(key);
      const step = advance(slice, { input: "swept", now: clock.now(), watermark: undefined });
      if (step.kind === "ignored" || (await ledger.writeSlice(slice, step.slice)) !== "written") return;
      if (step.effect === "send") self.send(slice.lane, step.slice);
    },
    async slice(slice) {
      return (await ledger.slice(slice ?? { jobId: JOB as Slice["jobId"], segment: SEGMENT, part: 0 }))!;
    },
  };
  let ingested = 0;
  const apply = async (batch: ResultBatch): Promise<void> => {
    const retry = (await ledger.job(batch.job))!.retry;
    const key = { jobId: batch.job, segment: batch.segment, part: batch.part };
    const inputs = [
      { input: "outcomes", generation: batch.generation, reports: batch.tasks, retry } as const,
      ...(batch.passOver
        ? [{ input: "pass-over", generation: batch.generation, now: clock.now(), retry, random: seeded(1) } as const]
        : []),
    ];
    for (const input of inputs)
      for (;;) {
        const slice = (await ledger.slice(key))!;
        const step = advance(slice, input);
        if (step.kind === "ignored" || (await ledger.writeSlice(slice, step.slice)) === "written") break;
      }
  };
  return self;
}
