import { beforeEach, describe, expect, it } from "vitest";
import { attachedDial } from "../../shared/bridge/attached-dial.ts";
import { answerPipe, askPipe, NONCE_OCTETS } from "../../shared/bridge/byte-pipe.ts";
import { RECEPTION_LIMITS } from "../../shared/bridge/reception-limits.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { Field, linkPair, PLANS, SECRET, SEGMENT } from "./attached-field.ts";

const REGISTERS = PLANS[0]?.profile.dlms.registers.length;
let field: Field;
beforeEach(() => {
  field = new Field();
});

describe("a meter that calls in", () => {
  it.each([0, 1, 2])(
    "is known by its push or by asking, and entered once it has proved itself (meter %i)",
    async (slot) => {
      await field.enrol(slot);
      const desk = field.task("a");
      const arrival = await field.arrive(desk, field.call(slot));
      expect(arrival).toMatchObject({ kind: "held", meterId: PLANS[slot]!.meterId });
      const { attached, releasedBase } = await field.item(slot);
      expect(attached).toMatchObject({ task: "a", address: "a:4060", seq: 1 });
      expect(attached?.connection).toMatch(/^[0-9a-f]{32}$/);
      expect(releasedBase).toBe(0n);
      expect(field.attachedAt).toEqual([slot]);
      expect(desk.held).toBe(1);
    },
  );

  it("is nobody under another meter's name, whatever it says", async () => {
    await field.enrol(0);
    const impostor = new SimulatedMeter({ ...PLANS[0]!, held: PLANS[1]!.enrolled }, 3, {
      crypto: nodeCrypto,
      random: seeded("i"),
      now: () => field.clock.now(),
    });
    const desk = field.task("a");
    expect(await field.arrive(desk, field.call(0, 20, impostor))).toMatchObject({ kind: "refused", because: "auth" });
    expect((await field.item(0)).attached).toBeUndefined();
    expect(desk.held).toBe(0);
  });

  it.each([
    [
      "its routes do not say so",
      { routes: [{ kind: "dial", host: "10.0.0.1", port: 4059, transport: "tcp" }] },
      "reception.not-attached",
    ],
    ["its profile proves nothing", { profile: { name: "generic-eu-lls", version: 1 } }, "reception.no-fresh-proof"],
    ["its slot is another's", { meterId: MeterId.parse("other") }, "reception.slot-of-another"],
    ["somebody needs it alone", { hold: { owner: "x", until: Number.MAX_SAFE_INTEGER, base: 0n } }, "access.held"],
  ] as const)("is refused when %s", async (_why, change, code) => {
    await field.enrol(0, change as Partial<AccessItem>);
    expect(await field.arrive(field.task("a"), field.call(0))).toMatchObject({ kind: "refused", code });
    expect((await field.item(0)).attached).toBeUndefined();
  });

  it("is refused when nobody enrolled it, or when it says nothing in time", async () => {
    expect(await field.arrive(field.task("a"), field.call(0))).toMatchObject({ code: "reception.slot-of-another" });
    const [mute] = linkPair(field.clock);
    const begun = field.clock.now();
    expect(await field.arrive(field.task("a"), mute)).toMatchObject({ kind: "refused" });
    expect(field.clock.now() - begun).toBeLessThanOrEqual(RECEPTION_LIMITS.identifyMs);
    const slow = field.call(0, 9_000);
    expect(await field.arrive(field.task("a"), slow)).toMatchObject({ kind: "refused" });
  });

  it("meets limits: connections, arrivals at once and a minute, tries of one name", async () => {
    await field.enrol(0);
    await field.enrol(1);
    expect(await field.arrive(field.task("a", { connections: 0 }), field.call(0))).toMatchObject({
      code: "reception.connections",
    });
    expect(await field.arrive(field.task("a", { perMinute: 0 }), field.call(0))).toMatchObject({
      code: "reception.per-minute",
    });
    const one = field.task("a", { arriving: 1 });
    const first = one.accept(field.call(0));
    expect(await one.accept(field.call(1))).toMatchObject({ code: "reception.arriving" });
    expect(await field.clock.until(first)).toMatchObject({ kind: "held" });
    const few = field.task("a", { perMeter: 1 });
    await field.arrive(few, field.call(0));
    expect(await field.arrive(few, field.call(0))).toMatchObject({
      because: "limit",
      code: "reception.tries-of-meter",
    });
    await field.clock.pass(60_000);
    expect(await field.arrive(few, field.call(0))).toMatchObject({ kind: "held" });
  });

  it("costs its segment no counters of its own, with whom it calls, and never draws one twice", async () => {
    for (const slot of [0, 1, 2]) await field.enrol(slot);
    const desk = field.task("a");
    const all = [0, 1, 2].map((slot) => desk.accept(field.call(slot)));
    for (const arrival of await field.clock.until(Promise.all(all))) expect(arrival).toMatchObject({ kind: "held" });
    expect(field.access.mark(SEGMENT)?.mark).toBe(64n);
    for (let time = 0; time < 3; time++) await field.arrive(desk, field.call(0));
    expect(field.access.mark(SEGMENT)?.mark).toBe(256n);
    for (const meter of field.meters) expect(meter.counters.state).toMatchObject({ repeated: [], lower: [] });
  });

  it("calls again: the newest connection wins on any task, and the older one's end does not remove it", async () => {
    await field.enrol(0);
    const [a, b] = [field.task("a"), field.task("b")];
    const first = field.call(0);
    await field.arrive(a, first);
    await field.arrive(b, field.call(0));
    expect((await field.item(0)).attached).toMatchObject({ task: "b", seq: 2 });
    await first.meterEnd.close();
    await field.clock.pass(100);
    expect(a.held).toBe(0);
    expect((await field.item(0)).attached).toMatchObject({ task: "b", seq: 2 });
    await field.arrive(b, field.call(0));
    await field.clock.pass(100);
    expect(b.held).toBe(1);
    expect((await field.item(0)).attached).toMatchObject({ task: "b", seq: 3 });
  });

  it("is taken out when it hangs up and when the task drains", async () => {
    await field.enrol(0);
    await field.enrol(1);
    const desk = field.task("a");
    const link = field.call(0);
    await field.arrive(desk, link);
    await link.meterEnd.close();
    await field.clock.pass(100);
    expect(await field.item(0)).toMatchObject({ attachedSeq: 1 });
    expect((await field.item(0)).attached).toBeUndefined();
    await field.arrive(desk, field.call(1));
    await field.clock.until(desk.drain(10_000));
    expect((await field.item(1)).attached).toBeUndefined();
    expect(await field.arrive(desk, field.call(1))).toMatchObject({ code: "reception.draining" });
  });
});

describe("the attached transport", () => {
  it.each(["a", "b"])("reads the meter that task a holds from task %s, again and again", async (reader) => {
    await field.enrol(0);
    await field.arrive(field.task("a"), field.call(0));
    field.task("b");
    const dial = field.dialOf(reader);
    for (let time = 0; time < 3; time++) expect(await field.clock.until(field.session(0, dial))).toBe(REGISTERS);
    expect((await field.item(0)).attached).toMatchObject({ task: "a", seq: 1 });
    expect(field.meters[0]!.counters.state).toMatchObject({ repeated: [], lower: [] });
  });

  it.each(["a", "b"])("carries one conversation at a time, in turn (from task %s)", async (reader) => {
    await field.enrol(0);
    await field.arrive(field.task("a"), field.call(0));
    field.task("b");
    const readers = ["a", reader].map((task) => field.dialOf(task));
    const outcomes = await field.clock.until(Promise.allSettled(readers.map((dial) => field.session(0, dial))));
    // Who leased first but talks second is refused for its counter: no octet of one is seen by the other.
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "dlms.counter-refused" });
    expect(field.meters[0]!.counters.state.repeated).toEqual([]);
    await field.clock.pass(100);
    expect(field.desks.get("a:4060")?.held, "a refusal ends no connection").toBe(1);
  });

  it("lets go of a connection whose conversation was cut, and the meter calls again", async () => {
    await field.enrol(0);
    const desk = field.task("a");
    await field.arrive(desk, field.call(0));
    await field.clock.until(field.session(0, field.dialOf("a"), "cut"));
    await field.clock.pass(100);
    expect(desk.held).toBe(0);
    await expect(field.clock.until(field.session(0, field.dialOf("a")))).rejects.toMatchObject({
      code: "link.route-lost",
    });
    await field.arrive(desk, field.call(0));
    expect(await field.clock.until(field.session(0, field.dialOf("a")))).toBe(REGISTERS);
  });

  it("loses the route, and the entry, when the owner is gone or does not know the connection", async () => {
    await field.enrol(0);
    await field.enrol(1);
    const a = field.task("a");
    await field.arrive(a, field.call(0));
    await field.arrive(a, field.call(1));
    field.task("a"); // another run of it at the same address
    const dial = field.dialOf("b");
    await expect(field.clock.until(field.session(0, dial))).rejects.toMatchObject({ code: "link.route-lost" });
    expect((await field.item(0)).attached).toBeUndefined();
    field.desks.clear();
    await expect(field.clock.until(field.session(1, dial))).rejects.toMatchObject({ code: "link.route-lost" });
    expect((await field.item(1)).attached).toBeUndefined();
    await expect(field.clock.until(field.session(1, dial))).rejects.toMatchObject({ code: "link.route-lost" });
  });

  it("leaves the entry of a task that merely does not answer, and does not wait for it twice", async () => {
    await field.enrol(0);
    await field.arrive(field.task("a"), field.call(0));
    let asked = 0;
    const dial = attachedDial({
      access: field.access,
      clock: field.clock,
      task: "b",
      find: () => undefined,
      dial: async () => {
        throw new LinkError("link.unreachable", "nobody has registered here");
      },
      pipe: async () => {
        asked++;
        throw new LinkError("link.unreachable", "no answer");
      },
    });
    const item = await field.item(0);
    for (let tries = 0; tries < 2; tries++)
      await expect(dial(item, 0)).rejects.toMatchObject({ code: "link.route-lost" });
    expect(asked).toBe(1);
    expect((await field.item(0)).attached).toBeDefined();
    await field.clock.pass(30_000);
    await expect(dial(item, 0)).rejects.toMatchObject({ code: "link.route-lost" });
    expect(asked).toBe(2);
  });

  it("opens no pipe without the secret", async () => {
    await field.enrol(0);
    const desk = field.task("a");
    await field.arrive(desk, field.call(0));
    const { connection } = (await field.item(0)).attached!;
    const [ours, theirs] = linkPair(field.clock);
    const find = (id: Uint8Array) => desk.find(Buffer.from(id).toString("hex"));
    const answered = answerPipe(
      { crypto: nodeCrypto, secret: SECRET, clock: field.clock },
      theirs,
      new Uint8Array(NONCE_OCTETS).fill(9),
      find,
      { helloMs: 1_000, turnMs: 1_000 },
    );
    const wrong = { crypto: nodeCrypto, secret: new Uint8Array(32).fill(8) };
    await expect(field.clock.until(askPipe(wrong, ours, connection, field.clock.now() + 1_000))).rejects.toMatchObject({
      code: "link.unreachable",
    });
    expect(await answered).toBe("refused");
  });
});
