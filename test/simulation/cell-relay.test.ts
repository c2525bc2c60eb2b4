import { describe, expect, it } from "vitest";
import { AContext, NO_ELEMENTS } from "../../shared/c1222/a-context.ts";
import { c1222Groups } from "../../shared/c1222/client/group-protocol.ts";
import { epsemControl, readPayload, writePayload } from "../../shared/c1222/epsem.ts";
import { responseName } from "../../shared/c1222/response-code.ts";
import { eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import { openApdu, securedApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { encodeRequest, type Request } from "../../shared/c1222/services/request.ts";
import { GROUP_INVOCATION_IDS, type GroupOperation, type GroupRequest } from "../../shared/metering/group.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import type { OperationResult } from "../../shared/metering/result.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import type { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { decode } from "../../shared/wire/codec.ts";
import { Branch, GENERIC_US, GROUP, NOON } from "./c1222-branch.ts";

/** A few intervals, of two blocks: one day's block is longer than a datagram. */
const SPAN_MS = 3_600_000;
const lastQuarter = Math.floor(NOON / 900_000) * 900_000;
const READ = {
  kind: "readIntervals",
  range: { from: lastQuarter - SPAN_MS, to: lastQuarter },
  registers: "total",
} as const;

/** Every tenth meter is asked for what does not fit one datagram. */
const askedOf = (meter: C1222Meter): Operation => (meter.plan.index % 10 === 0 ? READ : { kind: "readRegisters" });

/** Register values are those that the meter has served; intervals those of its load model. */
function expectTrue(meter: C1222Meter, result: OperationResult): void {
  const truth = meter.truth(lastQuarter - SPAN_MS, lastQuarter);
  for (const { measurement, value } of result.registers.filter((one) => !one.measurement.startsWith("demand.")))
    expect(truth.registers.some((served) => served.measurement === measurement && served.value === value)).toBe(true);
  const [set] = result.intervals;
  if (set === undefined) return;
  expect(set.entries).toHaveLength(SPAN_MS / 900_000);
  expect(truth.intervals.map(({ end }) => end)).toEqual(set.entries.map(({ end }) => end));
}

describe("fifty meters behind one cell relay", () => {
  it("are read over its one connection, all at once", async () => {
    const branch = new Branch({ meters: 50 });
    const { clock } = branch;
    const results = await clock.until(
      Promise.all(
        branch.meters.map(async (meter) => {
          const { session, link } = await branch.open(meter);
          const result = await session.perform(askedOf(meter));
          await link.close();
          return result;
        }),
      ),
    );
    for (const [index, meter] of branch.meters.entries()) expectTrue(meter, results[index]!);
    expect(branch.relays.connections).toBe(1);
    expect(branch.other).toEqual([]);
  });

  it.each(["tcp", "udp"] as const)(
    "by %s are read through losses, duplicates and disorder of segments, or fail by time-out and nothing else",
    async (transport) => {
      const faults = { drop: 0.02, duplicate: 0.1, delayMs: 300 };
      const branch = new Branch({ meters: 50, faults, transport });
      const { clock } = branch;
      const tried = await clock.until(
        Promise.all(
          branch.meters.map(async (meter) => {
            for (let attempt = 1; ; attempt++)
              try {
                const { session, link } = await branch.open(meter, 6_000);
                try {
                  return { meter, attempt, result: await session.perform(askedOf(meter)) };
                } finally {
                  await link.close();
                }
              } catch (error) {
                if (!(error instanceof HeadraceError) || attempt === 8) throw error;
                expect(error.code).toBe("c1222.no-answer");
              }
          }),
        ),
      );
      for (const { meter, result } of tried) expectTrue(meter, result);
      expect(tried.some(({ attempt }) => attempt > 1 || transport === "udp")).toBe(true);
      // Whatever was lost or came twice: no invocation id was accepted twice by any meter.
      for (const { counters } of branch.meters) expect(counters.state.repeated).toEqual([]);
    },
  );

  it("a node that is not of the branch is unreachable, and says so at once", async () => {
    const branch = new Branch({ meters: 1 });
    const stranger = { ...branch.meters[0]!, plan: { ...branch.meters[0]!.plan, apTitle: ".30.99" } } as C1222Meter;
    const begun = branch.clock.now();
    await expect(branch.clock.until(branch.open(stranger))).rejects.toMatchObject({
      reason: "unreachable",
      code: "c1222.relay-uat",
    });
    expect(branch.clock.now() - begun).toBeLessThan(100);
  });
});

const requestOf = <O extends GroupOperation>(operation: O, id = 1, at = NOON): GroupRequest<O> => ({
  groupTitle: GROUP.title,
  invocationId: GROUP_INVOCATION_IDS + id,
  at,
  operation,
});
const KEY = { id: GROUP.keyId, hex: GROUP.key };

/** Sends a request to the group; answers who said what by the end of the window. */
async function ask(branch: Branch, request: GroupRequest): Promise<ReadonlyMap<string, OperationResult | unknown>> {
  const { clock } = branch;
  const apdu = c1222Groups.compose(GENERIC_US, request, KEY, nodeCrypto);
  await clock.until(branch.relays.post(branch.route, apdu, clock.now() + 1_000));
  await clock.pass((c1222Groups.spreadMs(GENERIC_US) ?? 0) + 5_000);
  const answers = new Map<string, OperationResult | unknown>();
  for (const octets of branch.other) {
    const hint = c1222Groups.whose(octets);
    const meter = branch.meters.find(({ plan }) => hint?.title.endsWith(`.0${plan.apTitle}`));
    if (hint?.invocationId !== request.invocationId || meter === undefined) continue;
    const { apTitle: title, enrolled: keys, profile } = meter.plan;
    answers.set(
      title,
      await c1222Groups.open(octets, { title, profile, keys }, request, nodeCrypto).catch((error: unknown) => error),
    );
  }
  return answers;
}

describe("a request to a group", () => {
  it("is one APDU to the relay and a copy for each meter; each answers once, within the window, under its own key", async () => {
    const branch = new Branch({ meters: 50 });
    const at = branch.clock.now();
    const answers = await ask(branch, requestOf({ kind: "readRegisters" }));
    expect(branch.sent).toHaveLength(1);
    expect(branch.relay.counts).toMatchObject({ received: 1, repeated: 1, copies: 50 });
    expect(answers.size).toBe(50);
    for (const meter of branch.meters) {
      const result = answers.get(meter.plan.apTitle) as OperationResult;
      expect(result.registers).toHaveLength(meter.plan.profile.c1222.registers.length);
      expectTrue(meter, result);
    }
    expect(branch.clock.now() - at).toBeLessThan(30_000);
  });

  it("brings intervals too", async () => {
    const branch = new Branch({ meters: 1 });
    const answers = await ask(branch, requestOf(READ));
    for (const meter of branch.meters) expectTrue(meter, answers.get(meter.plan.apTitle) as OperationResult);
  });

  it("leaves out who did not get it, and refuses who answers under another key or for another", async () => {
    const change = (index: number) => (index === 1 ? { held: { unicast: "ee".repeat(16) } } : {});
    const branch = new Branch({
      meters: 4,
      change: (index) => (index === 0 ? { fault: "silent" as const } : change(index)),
    });
    const request = requestOf({ kind: "readRegisters" });
    const answers = await ask(branch, request);
    expect(answers.has(".30.1")).toBe(false);
    expect(answers.get(".30.2")).toMatchObject({ reason: "auth", code: "c1222.bad-mac" });
    expect(answers.get(".30.3")).toMatchObject({ registers: expect.anything() });
    const third = branch.other.find((octets) => c1222Groups.whose(octets)?.title.endsWith(".30.3"))!;
    const fourth = { title: ".30.4", profile: GENERIC_US, keys: branch.meters[3]!.plan.enrolled };
    await expect(c1222Groups.open(third, fourth, request, nodeCrypto)).rejects.toMatchObject({
      code: "c1222.other-title",
    });
    const again = { ...request, invocationId: request.invocationId + 1 };
    const own = { title: ".30.3", profile: GENERIC_US, keys: branch.meters[2]!.plan.enrolled };
    await expect(c1222Groups.open(third, own, again, nodeCrypto)).rejects.toMatchObject({
      code: "c1222.other-request",
    });
  });

  it("that is played back is answered by nobody, at once or when its time is over", async () => {
    const branch = new Branch({ meters: 5 });
    const request = requestOf({ kind: "readRegisters" });
    expect((await ask(branch, request)).size).toBe(5);
    branch.other.length = 0;
    expect((await ask(branch, request)).size).toBe(0);
    await branch.clock.pass(3_600_000); // longer than any meter remembers
    expect((await ask(branch, request)).size).toBe(0);
  });

  it("of any other kind has no form, and one in the group's own name is refused by the meters", async () => {
    for (const kind of ["operateSwitch", "resetDemand", "rotateKeys"]) {
      const request = requestOf({ kind } as unknown as GroupOperation);
      expect(() => c1222Groups.compose(GENERIC_US, request, KEY, nodeCrypto)).toThrow(
        expect.objectContaining({ reason: "unsafe" }),
      );
    }
    const clear: typeof GENERIC_US = {
      ...GENERIC_US,
      c1222: { ...GENERIC_US.c1222, access: { ...GENERIC_US.c1222.access, security: "clear" } },
    };
    expect(() => c1222Groups.compose(clear, requestOf({ kind: "readRegisters" }), KEY, nodeCrypto)).toThrow(
      expect.objectContaining({ code: "group.clear" }),
    );
  });
});

/** One APDU under the group's key, whatever its services are. */
const forged = (services: readonly Request[], id: number, { title = GROUP.title, mode = 2 as 1 | 2 } = {}) =>
  securedApdu(
    eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(GROUP.key))),
    { keyId: GROUP.keyId, iv: NOON / 1000 },
    {
      ...NO_ELEMENTS,
      calledApTitle: title,
      callingApTitle: GENERIC_US.c1222.access.callingApTitle,
      callingApInvocationId: Uint8Array.of(0x40, 1, 0, id),
    },
    epsemControl({ securityMode: mode }),
    writePayload({ edClass: undefined, services: services.map(encodeRequest) }),
  );

describe("under a group's key a meter", () => {
  const write = (tableId: number, hex: string): Request => ({ service: "fullWrite", tableId, data: fromHex(hex) });
  const PASSWORD = new Uint8Array(20).fill(0x20);
  const FORBIDDEN: readonly (readonly [string, Request])[] = [
    ["an order to its switch", write(7, "0508010000")],
    ["direct load control", write(7, "15000100")],
    ["the manufacturer's procedure 10", write(7, "0a080100")],
    ["a demand reset", write(7, "09000101")],
    ["a procedure that is cut short", write(7, "0a")],
    ["its keys", write(45, "00".repeat(16))],
    ["its passwords", write(42, "00".repeat(21))],
    ["a program", { service: "partialWriteOffset", tableId: 54, offset: 0, data: Uint8Array.of(1) }],
    ["an element", { service: "partialWriteIndex", tableId: 6, index: [1], data: Uint8Array.of(1) }],
    ["a log-on", { service: "logon", userId: 1, user: new Uint8Array(10), idleTimeout: 60 }],
    ["a password", { service: "security", password: PASSWORD, userId: 1 }],
  ];
  it.each(FORBIDDEN)("refuses %s, and says so under its own key", (_, service) => {
    const branch = new Branch({ meters: 1 });
    const [meter] = branch.meters;
    const [answer] = meter!.datagram(forged([service], 1));
    const key = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(meter!.plan.enrolled.unicast!)));
    const opened = openApdu(decode(AContext, answer!.octets), (id) => (id === 1 ? key : undefined));
    if (opened.kind !== "opened") throw new Error(opened.code);
    const { services } = readPayload(opened.payload, false);
    expect(services.map(([code]) => responseName(code ?? 0))).toEqual(["isc"]);
  });

  it("says nothing to a request for itself alone, in a weaker mode, or to a group that it is no member of", () => {
    const [meter] = new Branch({ meters: 1 }).meters;
    const read: readonly Request[] = [{ service: "fullRead", tableId: 1 }];
    expect(meter!.datagram(forged(read, 1))).toHaveLength(1);
    expect(meter!.datagram(forged(read, 2, { mode: 1 }))).toEqual([]);
    expect(meter!.datagram(forged(read, 3, { title: ".9.0.2" }))).toEqual([]);
    const [answer] = meter!.datagram(forged(read, 4, { title: ".30.1" })); // its own key would be needed: sme, in clear
    expect(openApdu(decode(AContext, answer!.octets), () => undefined)).toMatchObject({ payload: fromHex("010b") });
  });
});
