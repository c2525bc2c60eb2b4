import { describe, expect, it } from "vitest";
import { c1222Inbound, type EnrolledNode } from "../../shared/bridge/c1222-inbound.ts";
import { AContext } from "../../shared/c1222/a-context.ts";
import { absoluteTitle } from "../../shared/c1222/ap-title.ts";
import { clearRequest } from "../../shared/c1222/clear-message.ts";
import { readPayload } from "../../shared/c1222/epsem.ts";
import type { Notification } from "../../shared/c1222/network/notification.ts";
import { type Origin, Registrar, type RegistrarEvent } from "../../shared/c1222/network/registrar.ts";
import { responseName } from "../../shared/c1222/response-code.ts";
import { NODE_TYPE, type Register } from "../../shared/c1222/services/register.ts";
import type { Request } from "../../shared/c1222/services/request.ts";
import { decodeResponse, type Response } from "../../shared/c1222/services/response.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { decode } from "../../shared/wire/codec.ts";
import { Branch, NOON, RELAY_TITLE } from "./c1222-branch.ts";

const HEADEND = ".1.1";
const from = (host: number, connection?: string): Origin => ({
  transport: connection === undefined ? "udp" : "tcp",
  address: Uint8Array.of(198, 51, 100, host),
  port: 40_000,
  ...(connection === undefined ? {} : { connection }),
});

function world(meters = 2, registrationsMax = 100) {
  const branch = new Branch({ meters });
  const notifications: (readonly [string, Notification])[] = [];
  const events: RegistrarEvent[] = [];
  const answers: Uint8Array[] = [];
  const nodeOf = async (title: string): Promise<EnrolledNode | undefined> => {
    const meter = branch.meters.find(({ plan }) => absoluteTitle(plan.apTitle) === title);
    if (meter === undefined) return undefined;
    const { apTitle, profile, enrolled: keys, index } = meter.plan;
    const member = { title: apTitle, profile, keys };
    return { meterId: MeterId.parse(meter.plan.meterId), place: { segment: 1, slot: index }, keyVersion: 1, member };
  };
  let own = 0;
  const registrar = new Registrar({
    apTitles: [HEADEND],
    now: () => branch.clock.now(),
    nextInvocationId: () => ++own,
    enrolled: async (title) =>
      title === absoluteTitle(RELAY_TITLE) ? "relay" : (await nodeOf(title)) === undefined ? undefined : "node",
    proved: async () => true,
    periodMax: 3_600,
    registrationDelay: 60,
    registrationsMax,
  });
  const inbound = c1222Inbound({
    ownTitles: [HEADEND],
    now: () => branch.clock.now(),
    crypto: nodeCrypto,
    registrar,
    onAnswer: (octets) => answers.push(octets) > 0,
    nodeOf,
    onNotification: ({ from: { meterId }, notification }) => void notifications.push([meterId, notification]),
    onRegistrar: (event) => void events.push(event),
  });
  return { ...branch, clock: branch.clock, meters: branch.meters, notifications, events, registrar, inbound };
}

const LISTENS = { address: Uint8Array.of(10, 0, 0, 1), port: 1153, transport: "tcp" } as const;
const BODY: Register = {
  nodeType: NODE_TYPE.endDevice,
  connectionType: 0xc0,
  deviceClass: Uint8Array.of(1, 2, 3, 4),
  apTitle: ".30.1",
  electronicSerialNumber: ".1",
  nativeAddress: Uint8Array.of(203, 0, 113, 9, 4, 129, 6), // not where it comes from
  registrationPeriod: 900,
  myDomainPattern: undefined,
};
const RELAY_BODY: Register = { ...BODY, apTitle: RELAY_TITLE, nodeType: NODE_TYPE.relay };

/** The answer of the headend to one request in clear. */
async function ask(
  { inbound }: ReturnType<typeof world>,
  request: Request,
  origin: Origin,
  sender = ".30.1",
): Promise<Response | undefined> {
  const answer = await inbound.receive(clearRequest({ from: sender, to: HEADEND, invocationId: 5 }, request), origin);
  if (answer === undefined) return undefined;
  const { services } = readPayload(decode(AContext, answer).userInformation.octetAligned.subarray(1), false);
  return decodeResponse(request.service, services[0] ?? new Uint8Array(0));
}
const said = async (...parts: Parameters<typeof ask>) => responseName((await ask(...parts))?.code ?? 99);

describe("a registration", () => {
  it("of an enrolled meter gives the route to where it came from, and is renewed before it runs out", async () => {
    const { clock, meters, inbound, registrar } = world();
    const node = meters[0]!.registrant(LISTENS, 30);
    let asked = 0;
    for (let passed = 0; passed < 4 * 3_600; passed += 60) {
      const request = node.due(clock.now());
      if (request !== undefined) {
        asked++;
        const answer = await inbound.receive(request, from(7));
        node.receive(clock.now(), decode(AContext, answer!));
      }
      if (passed >= 60)
        expect(registrar.find(".30.1")?.route).toMatchObject({ kind: "dial", port: 1153, transport: "tcp" });
      await clock.pass(60_000);
    }
    expect(registrar.find(".30.1")?.route).toMatchObject({ address: Uint8Array.of(198, 51, 100, 7) });
    expect([node.state, asked]).toEqual(["registered", 6]); // every two thirds of an hour
    await clock.pass(3_600_000);
    expect(registrar.find(".30.1")).toBeUndefined();
  });

  it("without an answer is asked for again, ever less often", () => {
    const { clock, meters } = world();
    const node = meters[0]!.registrant(LISTENS);
    const at: number[] = [];
    for (let now = clock.now(); now < clock.now() + 3_600_000; now += 1_000) if (node.due(now)) at.push(now - NOON);
    expect(at.slice(0, 5)).toEqual([0, 15_000, 45_000, 105_000, 225_000]);
    expect(at.length).toBeLessThan(12);
  });

  it("after a power failure waits a time of its own", () => {
    const { clock, meters } = world(20);
    const starts = meters.map((meter) => meter.registrant(LISTENS, 300).dueAt - clock.now());
    expect(new Set(starts).size).toBeGreaterThan(15);
    expect(Math.max(...starts)).toBeLessThan(300_000);
  });

  it("of a stranger, of another node, or of an end device as a relay is refused", async () => {
    const here = world();
    expect(await said(here, { service: "register", ...BODY, apTitle: ".77.1" }, from(7), ".77.1")).toBe("uat");
    expect(await said(here, { service: "register", ...BODY, apTitle: ".30.2" }, from(7))).toBe("uat");
    expect(await said(here, { service: "register", ...BODY, nodeType: NODE_TYPE.relay }, from(7))).toBe("iar");
    expect(await said(here, { service: "register", ...BODY, connectionType: 0 }, from(7))).toBe("iar");
    expect(here.registrar.size).toBe(0);
    expect(here.events.every(({ kind }) => kind === "refused")).toBe(true);
  });

  it("behind a registered relay is by that relay, which alone may speak for it", async () => {
    const here = world();
    expect(await said(here, { service: "register", ...RELAY_BODY }, from(30, "a"), RELAY_TITLE)).toBe("ok");
    expect(await said(here, { service: "register", ...BODY }, from(30, "a"))).toBe("ok");
    expect(here.registrar.find(".30.1")?.route).toMatchObject({ kind: "relay", relay: absoluteTitle(RELAY_TITLE) });
    expect(await ask(here, { service: "trace", apTitle: ".30.1" }, from(9))).toMatchObject({
      body: { apTitles: [HEADEND, absoluteTitle(RELAY_TITLE), ".30.1"] },
    });
    expect(await said(here, { service: "deregister", apTitle: ".30.1" }, from(31, "b"))).toBe("isc");
    expect(await said(here, { service: "deregister", apTitle: ".30.1" }, from(30, "a"))).toBe("ok");
    expect(await said(here, { service: "trace", apTitle: ".30.1" }, from(9))).toBe("uat");
  });

  it("tells who asks where the node is, and has room for so many", async () => {
    const here = world(2, 1);
    expect(await said(here, { service: "register", ...BODY }, from(7))).toBe("ok");
    expect(await ask(here, { service: "resolve", apTitle: ".30.1" }, from(9))).toMatchObject({
      body: { nativeAddress: Uint8Array.of(198, 51, 100, 7, 4, 129, 6) },
    });
    expect(await said(here, { service: "resolve", apTitle: ".30.2" }, from(9))).toBe("uat");
    expect(await said(here, { service: "register", ...BODY, apTitle: ".30.2" }, from(8), ".30.2")).toBe("bsy");
    await here.clock.pass(900_001);
    expect(await said(here, { service: "register", ...BODY, apTitle: ".30.2" }, from(8), ".30.2")).toBe("ok");
  });

  it("over a connection that accepts nothing else ends with it", async () => {
    const here = world();
    expect(await said(here, { service: "register", ...BODY, connectionType: 0x40 }, from(7, "a"))).toBe("ok");
    expect(here.registrar.find(".30.1")?.route).toEqual({ kind: "connection", connection: "a" });
    expect(here.registrar.disconnected("a")).toHaveLength(1);
    expect(here.registrar.find(".30.1")).toBeUndefined();
  });
});

describe("a notification", () => {
  it("is verified under the meter's own key, once, and its tables and exceptions are told", async () => {
    const { meters, inbound, notifications } = world();
    const octets = meters[0]!.notify({ tables: [0, 11, 21, 23], exceptions: [1, 47] });
    for (let times = 0; times < 3; times++) expect(await inbound.receive(octets, from(7))).toBeUndefined();
    expect(notifications).toHaveLength(1);
    const [[meterId, notification]] = notifications as [(typeof notifications)[number]];
    expect(meterId).toBe(meters[0]!.plan.meterId);
    expect(notification).toMatchObject({ keyId: 1, isUrgent: true, isTest: false });
    expect(notification.exceptions.map(({ code, event, isAlarm }) => [code, event, isAlarm])).toEqual([
      ["1", "power.failed", false],
      ["47", "tamper.suspected", true],
    ]);
    const truth = meters[0]!.truth(NOON - 900_000, NOON).registers;
    const energy = notification.registers.filter(({ measurement }) => measurement.startsWith("energy."));
    expect(energy.length).toBeGreaterThan(0);
    for (const { measurement, value } of energy)
      expect(truth.some((served) => served.measurement === measurement && served.value === value)).toBe(true);
    expect(inbound.counts()).toEqual({ notification: 1, "c1222.played-back": 2 });
  });

  it("whose layout did not come along stays octets, and nothing is guessed", async () => {
    const { meters, inbound, notifications } = world();
    await inbound.receive(meters[0]!.notify({ tables: [0, 23] }), from(7));
    await inbound.receive(meters[0]!.notify({ tables: [23] }), from(7));
    expect(notifications.map(([, { tables, registers }]) => [tables.length, registers.length])).toEqual([
      [2, 0],
      [1, 0],
    ]);
  });

  it("from outside of the window, changed in any octet, of a stranger or under another key does nothing", async () => {
    const { clock, meters, inbound, notifications } = world();
    const octets = meters[0]!.notify({ exceptions: [2] });
    for (let at = 0; at < octets.length; at++) {
      const changed = octets.slice();
      changed[at]! ^= 0x01;
      await inbound.receive(changed, from(7));
      await inbound.receive(octets.subarray(0, at), from(7));
    }
    expect(notifications.filter(([, { keyId }]) => keyId !== undefined)).toEqual([]);
    await clock.pass(900_000 + 10_000);
    await inbound.receive(octets, from(7));
    expect(notifications.filter(([, { keyId }]) => keyId !== undefined)).toEqual([]);
    expect(inbound.counts()).toMatchObject({ "c1222.late": 1 });
  });

  it("in clear is a hint: no key, no register", async () => {
    const { inbound, notifications } = world();
    const write = { service: "fullWrite", tableId: 7, data: Uint8Array.of(26, 0, 0, 1, 0) } as const;
    await inbound.receive(clearRequest({ from: ".30.1", to: HEADEND, invocationId: 9 }, write), from(7));
    expect(notifications[0]?.[1]).toMatchObject({ keyId: undefined, sentAt: undefined, registers: [] });
    expect(inbound.counts()).toEqual({ "notification.in-clear": 1 });
  });
});
