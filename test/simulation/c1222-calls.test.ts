import { beforeEach, describe, expect, it } from "vitest";
import { clearRequest } from "../../shared/c1222/clear-message.ts";
import { nativeAddressOctets } from "../../shared/c1222/native-address.ts";
import type { Origin } from "../../shared/c1222/network/registrar.ts";
import { NODE_TYPE } from "../../shared/c1222/services/register.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { C1222Field, HEADEND, PLANS, SEGMENT } from "./c1222-field.ts";

let field: C1222Field;
beforeEach(() => {
  field = new C1222Field();
});

const registers = (slot: number) => PLANS[slot]!.profile.c1222.registers.length;

describe("a C12.22 meter that calls in and registers", () => {
  it("is entered once it has answered freshly under its own key, and read by any task", async () => {
    await field.enrol(0);
    const a = field.task("a");
    const { registrant } = field.call(a, 0);
    await field.clock.pass(5_000);
    expect(registrant.state).toBe("registered");
    expect(a.held).toBe(1);
    const { attached } = await field.item(0);
    expect(attached).toMatchObject({ task: "a", address: "a:4060", seq: 1 });
    expect(field.attachedAt).toEqual([0]);
    field.task("b");
    for (const task of ["a", "b", "a"])
      expect(await field.clock.until(field.session(0, field.dialOf(task)))).toBe(registers(0));
    expect(field.meters[0]!.counters.state).toMatchObject({ repeated: [] });
  });

  it("renews over its connection without another proof or write", async () => {
    await field.enrol(0);
    const a = field.task("a");
    const { registrant } = field.call(a, 0);
    await field.clock.pass(3_600_000);
    expect(registrant.state).toBe("registered");
    expect((await field.item(0)).attached).toMatchObject({ seq: 1 });
    expect(a.counts()).toMatchObject({ held: 1, "registration.held-already": 2 });
    expect(registrant.dueAt - field.clock.now(), "granted for the hour that it wanted").toBeGreaterThan(300_000);
  });

  it("is nobody under another meter's name", async () => {
    await field.enrol(0);
    const impostor = field.meter({ ...PLANS[0]!, held: PLANS[1]!.held });
    const a = field.task("a");
    field.call(a, 0, impostor);
    await field.clock.pass(30_000);
    expect(a.held).toBe(0);
    expect((await field.item(0)).attached).toBeUndefined();
    expect(a.counts()).toMatchObject({ "c1222.security-mode": 1 });
  });

  it.each([
    [
      "its routes do not say so",
      { routes: [{ kind: "dial", host: "10.0.0.1", port: 1153, transport: "tcp" }] },
      "reception.not-attached",
    ],
    ["its profile proves nothing", { profile: { name: "generic-us-clear", version: 1 } }, "reception.no-fresh-proof"],
    ["somebody needs it alone", { hold: { owner: "x", until: Number.MAX_SAFE_INTEGER, base: 0n } }, "access.held"],
  ] as const)("is not entered when %s", async (_why, change, code) => {
    await field.enrol(0, change as Partial<AccessItem>);
    const a = field.task("a");
    field.call(a, 0);
    await field.clock.pass(5_000);
    expect(a.counts()).toMatchObject({ [code]: 1 });
    expect((await field.item(0)).attached).toBeUndefined();
  });

  it("loses its route with its task, and has it again when it registers at another one", async () => {
    await field.enrol(0);
    const { meterEnd } = field.call(field.task("a"), 0);
    await field.clock.pass(5_000);
    const read = () => field.clock.until(field.session(0, field.dialOf("b")));
    field.task("b");
    field.gates.delete("a:4060"); // killed
    await meterEnd.close();
    await expect(read()).rejects.toMatchObject({ code: "link.route-lost" });
    field.call(field.gates.get("b:4060")!, 0);
    await field.clock.pass(5_000);
    expect((await field.item(0)).attached).toMatchObject({ task: "b", seq: 2 });
    expect(await read()).toBe(registers(0));
  });

  it("notifies and is asked over one connection at the same time", async () => {
    await field.enrol(0);
    const { meterEnd } = field.call(field.task("a"), 0);
    await field.clock.pass(5_000);
    const read = field.session(0, field.dialOf("a"));
    await meterEnd.send(field.meters[0]!.notify({ exceptions: [47] }));
    expect(await field.clock.until(read)).toBe(registers(0));
    expect(field.pushed.map(({ report }) => [report.meterId, report.events?.[0]?.e])).toEqual([
      [PLANS[0]!.meterId, "tamper.suspected"],
    ]);
  });

  it("is taken out when it hangs up and when the task drains", async () => {
    await field.enrol(0);
    await field.enrol(1);
    const a = field.task("a");
    const first = field.call(a, 0);
    field.call(a, 1);
    await field.clock.pass(5_000);
    expect(a.held).toBe(2);
    await first.meterEnd.close();
    await field.clock.pass(100);
    expect((await field.item(0)).attached).toBeUndefined();
    await field.clock.until(a.drain(10_000));
    expect((await field.item(1)).attached).toBeUndefined();
    expect(a.held).toBe(0);
  });
});

describe("a C12.22 meter that registers where it listens", () => {
  const address = Uint8Array.of(198, 51, 100, 9);
  const udp: Origin = { transport: "udp", address, port: 40_000 };
  const title = PLANS[0]!.apTitle;
  const listensAt = (port: number) => field.listens.set(`198.51.100.9 ${port}`, field.meters[0]!);
  const register = (origin = udp, port = 1153, from = title) =>
    clearRequest(
      { from, to: HEADEND, invocationId: 5 },
      {
        service: "register",
        nodeType: NODE_TYPE.endDevice,
        connectionType: 0x80,
        deviceClass: Uint8Array.of(1, 2, 3, 4),
        apTitle: from,
        electronicSerialNumber: ".1",
        nativeAddress: nativeAddressOctets({ address: origin.address, port, transport: "tcp" }),
        registrationPeriod: 0,
        myDomainPattern: undefined,
      },
    );

  it("is dialled there by every task once it has answered there as itself, and for as long as it renews", async () => {
    await field.enrol(0);
    listensAt(1153);
    const a = field.task("a");
    await a.receive(register(), udp);
    await field.clock.pass(1_000);
    const route = { kind: "dial", host: "198.51.100.9", port: 1153, transport: "tcp" };
    const first = (await field.item(0)).attached;
    expect(first).toMatchObject({ route, seq: 1, until: field.clock.now() - 1_000 + 300_000 });
    expect(await field.clock.until(field.session(0, field.dialOf("b")))).toBe(registers(0));
    const told = await field
      .task("c")
      .receive(clearRequest({ from: ".9", to: HEADEND, invocationId: 7 }, { service: "resolve", apTitle: title }), udp);
    expect(toHex(told!), "by any task").toContain(
      toHex(nativeAddressOctets({ address, port: 1153, transport: "tcp" })),
    );
    // Renewed at another task: for long, and without another proof.
    const dials = field.dialled.length;
    const b = field.task("b");
    await b.receive(register(), udp);
    await field.clock.pass(1_000);
    expect((await field.item(0)).attached).toMatchObject({ route, until: field.clock.now() - 1_000 + 86_400_000 });
    expect(field.dialled.length).toBe(dials);
    await field.clock.pass(86_400_000);
    await expect(field.clock.until(field.session(0, field.dialOf("a")))).rejects.toMatchObject({
      code: "link.route-lost",
    });
    expect((await field.item(0)).attached).toBeUndefined();
  });

  it("moves with its newest address, and nobody moves it to where it does not answer", async () => {
    await field.enrol(0);
    listensAt(1153);
    const a = field.task("a");
    await a.receive(register(), udp);
    await field.clock.pass(1_000);
    await a.receive(register(udp, 2000), udp); // nobody listens there
    await field.clock.pass(1_000);
    expect((await field.item(0)).attached).toMatchObject({ route: { port: 1153 }, seq: 1 });
    field.listens.set("198.51.100.9 3000", field.meters[1]!); // another meter
    await a.receive(register(udp, 3000), udp);
    await field.clock.pass(10_000);
    expect((await field.item(0)).attached).toMatchObject({ route: { port: 1153 }, seq: 1 });
    listensAt(4000);
    await a.receive(register(udp, 4000), udp);
    await field.clock.pass(1_000);
    expect((await field.item(0)).attached).toMatchObject({ route: { port: 4000 }, seq: 2 });
  });

  it("is asked so often a minute at most, whoever says its name", async () => {
    await field.enrol(0);
    const a = field.task("a");
    for (let port = 1; port <= 20; port++) {
      await a.receive(register(udp, port), udp);
      await field.clock.pass(100);
    }
    expect(field.dialled.length).toBe(6);
    expect(a.counts()).toMatchObject({ "reception.tries-of-meter": 14 });
    expect(await field.access.read({ segment: SEGMENT, slot: 0 })).not.toHaveProperty("attached");
  });

  it("keeps its entry when somebody says goodbye by datagram in its name, and gives it up by connection", async () => {
    await field.enrol(0);
    listensAt(1153);
    const a = field.task("a");
    const goodbye = clearRequest(
      { from: title, to: HEADEND, invocationId: 6 },
      { service: "deregister", apTitle: title },
    );
    await a.receive(register(), udp);
    await field.clock.pass(1_000);
    await a.receive(goodbye, udp);
    await field.clock.pass(1_000);
    expect((await field.item(0)).attached).toBeDefined();
    const tcp: Origin = { transport: "tcp", address, port: 41_000, connection: "c9" };
    await a.receive(register(), tcp);
    await a.receive(goodbye, tcp);
    await field.clock.pass(1_000);
    expect((await field.item(0)).attached).toBeUndefined();
  });
});

describe("what a C12.22 meter says by itself", () => {
  const origin: Origin = { transport: "udp", address: Uint8Array.of(192, 0, 2, 1), port: 40_000 };

  it("is a push report, proved under its own key and by a counter that rises", async () => {
    await field.enrol(0, { routes: [{ kind: "dial", host: "192.0.2.1", port: 1153, transport: "udp" }] });
    const a = field.task("a");
    const sentAt = Math.floor((field.clock.now() + PLANS[0]!.clockOffsetMs) / 1000) * 1000;
    for (const exceptions of [[47], [1]])
      await a.receive(field.meters[0]!.notify({ tables: [0, 11, 21, 23], exceptions }), origin);
    const [first, second] = field.pushed;
    expect(first).toMatchObject({
      segment: SEGMENT,
      report: {
        slot: 0,
        meterId: PLANS[0]!.meterId,
        proof: { key: "c1222.1", version: 1 },
        transport: "udp",
        receivedAt: field.clock.now(),
        sentAt,
        events: [{ at: sentAt, e: "tamper.suspected", log: "exception-report", code: "47" }],
      },
    });
    expect(first!.report.registers!.length).toBeGreaterThan(0);
    expect(second!.report.proof.counter).toBeGreaterThan(first!.report.proof.counter);
    expect(first!.report.proof.counter >> 32n).toBe(BigInt(sentAt / 1000));
  });

  it("is none when it was there before, in clear, of a stranger or nobody's", async () => {
    await field.enrol(0);
    const a = field.task("a");
    const said = field.meters[0]!.notify({ exceptions: [47] });
    for (let times = 0; times < 3; times++) await a.receive(said, origin);
    expect(field.pushed).toHaveLength(1);
    const write = { service: "fullWrite", tableId: 7, data: Uint8Array.of(26, 0, 0, 1, 0) } as const;
    await a.receive(clearRequest({ from: PLANS[0]!.apTitle, to: HEADEND, invocationId: 9 }, write), origin);
    await a.receive(field.meter({ ...PLANS[0]!, held: PLANS[1]!.held }).notify({ exceptions: [47] }), origin);
    await a.receive(field.meters[1]!.notify({ exceptions: [47] }), origin); // not enrolled
    expect(field.pushed).toHaveLength(1);
    expect(a.counts()).toMatchObject({
      notification: 1,
      "c1222.played-back": 2,
      "notification.in-clear": 1,
      "c1222.bad-mac": 1,
      "inbound.not-enrolled": 1,
    });
  });

  it("comes over a relay's connection too, on which nobody registers", async () => {
    await field.enrol(0);
    const a = field.task("a");
    await a.receive(field.meters[0]!.notify({ exceptions: [1] }), undefined);
    expect(field.pushed[0]?.report).toMatchObject({ transport: "relay", events: [{ e: "power.last-gasp" }] });
    const goodbye = clearRequest(
      { from: PLANS[0]!.apTitle, to: HEADEND, invocationId: 6 },
      { service: "identification" },
    );
    expect(await a.receive(goodbye, undefined)).toBeUndefined();
  });
});

it("an answer to a group request that comes to the port goes to the group's answers", async () => {
  await field.enrol(0);
  const a = field.task("a");
  const request = clearRequest(
    { from: PLANS[0]!.apTitle, to: HEADEND, invocationId: 5 },
    { service: "identification" },
  );
  const origin: Origin = { transport: "udp", address: Uint8Array.of(192, 0, 2, 1), port: 40_000 };
  const answer = await a.receive(request, origin);
  expect(await a.receive(answer!, origin)).toBeUndefined();
  expect(field.answers).toHaveLength(1);
});
