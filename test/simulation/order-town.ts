import type { BridgePorts } from "../../shared/bridge/bridge.ts";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { orderNumber, supersedes } from "../../shared/jobs/orders.ts";
import type { Slice } from "../../shared/jobs/slice.ts";
import { slotReason, slotState } from "../../shared/jobs/slots.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { MeterKeys } from "../../shared/metering/meter-keys.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { auditLog } from "../../shared/security/audit.ts";
import { memoryAudit } from "../../shared/security/memory-audit.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { type DlmsMeterPlan, dlmsPopulation } from "../../shared/simulator/population.ts";
import { type Authority, CAUTIOUS } from "../../shared/switching/authority.ts";
import { DEFAULT_GUARDS, type GuardSettings } from "../../shared/switching/guard.ts";
import { guardDesk } from "../../shared/switching/guard-desk.ts";
import { memoryGuards } from "../../shared/switching/memory-guards.ts";
import { taskNames } from "../../shared/switching/order-gate.ts";
import { type PortsChange, type World, world } from "./bridge-world.ts";

const CLIENT = "4852440000000001";
const SEED = 7;
const SEGMENT = 3;
export const RESET = { kind: "resetDemand" } as const;

/** What happens to a bridge at its n-th call of a port: `before` or `after` the call has had its effect. */
export interface Incident {
  readonly at: number;
  readonly when: "before" | "after";
  /** It ends, its connection breaks, or it stands still for so long, ms. */
  readonly what: "ends" | "breaks" | number;
}

const itemOf = (plan: DlmsMeterPlan, slot: number): AccessItem => ({
  segment: SEGMENT,
  slot,
  meterId: MeterId.parse(plan.meterId),
  profile: { name: plan.profile.name, version: plan.profile.version },
  systemTitle: plan.systemTitle,
  routes: [{ kind: "dial", host: "127.0.0.1", port: 1 + slot, transport: "tcp" }],
  counterOffset: 0n,
  releasedBase: 0n,
  lastOrder: 0,
  flags: { medical: false, priority: false, moratorium: false },
  ...(Object.keys(plan.enrolled).length === 0 ? {} : { sealedKeys: { blob: new Uint8Array(1), version: 1 } }),
});

/** Simulated meters that speak DLMS (one, unless more are asked for), in the slots of one segment, and orders to them. */
export async function orderTown(fault?: FaultKind, profile = "generic-eu", count = 1) {
  const town: World = await world();
  const faults = fault === undefined ? {} : { [fault]: 0.1 };
  const plans = dlmsPopulation(nodeCrypto, { meters: 10 * count, seed: SEED, faults, clientSystemTitle: CLIENT })
    .filter((each) => (fault === undefined ? each.profile.name === profile : each.fault === fault))
    .slice(0, count);
  const meterPorts = { crypto: nodeCrypto, random: seeded("m"), now: () => town.clock.now() };
  const meters = plans.map((plan) => new SimulatedMeter(plan, SEED, meterPorts));
  const items = plans.map(itemOf);
  const [[meter], [item]] = [meters, items];
  if (meter === undefined || item === undefined) throw new Error("the town has no such meter");
  for (const each of items) await town.access.createAccessItem(each);

  const audit = memoryAudit();
  const guards = memoryGuards();
  const rules: { authority: Authority; settings: GuardSettings } = {
    authority: { epoch: town.epoch, region: "here", stops: [], moratoria: [], policy: CAUTIOUS },
    settings: DEFAULT_GUARDS,
  };
  const dlms = (ports: BridgePorts): BridgePorts => ({
    ...ports,
    safety: {
      authority: async () => rules.authority,
      region: "here",
      guards: guardDesk({ store: guards, clock: ports.clock, settings: async () => rules.settings }),
      audit: auditLog({ store: audit, crypto: nodeCrypto, clock: ports.clock }),
      taskName: taskNames(nodeCrypto),
    },
    drivers: driverRegistry([dlmsDriver]),
    clientSystemTitle: CLIENT,
    vault: {
      open: async ({ meterId }) => MeterKeys.parse(plans.find((plan) => plan.meterId === meterId)?.enrolled),
    },
    dial: ({ port }) => dialMeter(meters[port - 1] ?? meter, town.clock),
  });
  const stands = (slice: Slice): string => `${slotState(slice.slots, 0)}(${slotReason(slice.slots, 0)})`;
  return {
    town,
    meter,
    item,
    audit,
    /** Reservations of a guard. */
    roomIn: async (name: string) => (await guards.read([name])).get(name)?.reservations ?? [],
    /** What orders to switches obey; may be changed at any time. */
    rules,
    resets: () => meter.resets.state.count,
    meters,
    start: (change: PortsChange = (ports) => ports) => town.bridge((ports, kill) => change(dlms(ports), kill)),
    /** Accepts an order as the planner does, and sends it. */
    async order(options: Parameters<World["plan"]>[0] = {}): Promise<Slice> {
      const slots = items.map(({ slot }) => slot);
      const slice = await town.plan({ slots, operation: RESET, lane: "interactive", deadlineMs: 600_000, ...options });
      const job = await town.ledger.job(slice.jobId);
      if (job !== undefined && supersedes(job))
        for (const each of items) await town.access.acceptOrder(each, orderNumber(job));
      return slice;
    },
    /** Lets time pass, with a sweep a minute, until the slice is closed; answers how its task stands. */
    async end(slice: Slice, ms = 3_600_000): Promise<string> {
      for (let passed = 0; passed < ms; passed += 1_000) {
        await town.clock.pass(1_000);
        if (passed % 60_000 === 0) await town.sweep(slice);
        const now = await town.slice(slice);
        if (now.state === "closed") return stands(now);
      }
      return `never: ${stands(await town.slice(slice))}`;
    },
    before: () =>
      town.batches
        .flatMap(({ tasks }) => tasks)
        .flatMap(({ registers = [] }) => registers.filter(({ m }) => m === "demand.active.import.max")),
  };
}
export type OrderTown = Awaited<ReturnType<typeof orderTown>>;

/** Ports of a bridge that meets an incident; `calls` tells each call of a port, in order. */
export function incident(town: World, { at, when, what }: Incident, calls: string[] = []): PortsChange {
  let ended = false;
  let stillUntil = 0;
  return (ports, kill) => {
    const meets = (): void => {
      if (what === "breaks") throw new LinkError("link.closed", "the connection broke");
      if (what === "ends") {
        ended = true;
        kill();
      } else stillUntil = town.clock.now() + what;
    };
    /** Of a bridge that stands still no call goes out, and none of its answers is heard. */
    const alive = async (): Promise<void> => {
      if (ended) await new Promise<never>(() => {});
      if (town.clock.now() < stillUntil) await town.clock.sleep(stillUntil - town.clock.now());
    };
    const call = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
      await alive();
      const number = calls.push(name);
      if (number === at && when === "before") meets();
      await alive();
      const answer = await run().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      await alive();
      if (number === at && when === "after") meets();
      await alive();
      if ("error" in answer) throw answer.error;
      return answer.value;
    };
    const gated = <T extends object>(label: string, port: T): T =>
      new Proxy(port, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return (...given: unknown[]) =>
            call(`${label}.${String(name)}`, async () => (member as (...a: unknown[]) => unknown).apply(target, given));
        },
      });
    return {
      ...ports,
      ledger: gated("ledger", ports.ledger),
      access: gated("access", ports.access),
      results: { ...ports.results, queue: gated("results", ports.results.queue) },
      dial: (...given) => call("dial", async () => gated("link", await ports.dial(...given))),
    };
  };
}
/** Nothing happens; the calls are told. */
export const NO_INCIDENT: Incident = { at: 0, when: "before", what: "ends" };

/** The calls of a bridge that nothing happens to, in order. */
async function callsOf(): Promise<readonly string[]> {
  const run = await orderTown();
  const calls: string[] = [];
  run.start(incident(run.town, NO_INCIDENT, calls));
  await run.end(await run.order());
  return calls;
}
export const CALLS = await callsOf();
const at = (name: string, nth = 1): number => {
  const found = CALLS.flatMap((call, index) => (call === name ? [index + 1] : []))[nth - 1];
  if (found === undefined) throw new Error(`no call ${nth} of ${name} among ${CALLS.join(" ")}`);
  return found;
};
/** The write of the intent: the slice's second, after that of the lease. */
export const INTENT = at("ledger.writeSlice", 2);
/** The frames of the effect: the first after the last look. */
export const OPERATE = CALLS.indexOf("link.send", INTENT) + 1;
