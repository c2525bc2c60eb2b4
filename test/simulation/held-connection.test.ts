import { describe, expect, it } from "vitest";
import { AHEAD_MAX, holdConnection, WAITING_MAX } from "../../shared/bridge/held-connection.ts";
import type { ConversationWatch } from "../../shared/metering/driver.ts";
import { linkPair } from "./attached-field.ts";
import { virtualClock } from "./virtual-clock.ts";

/** A protocol in which 1 asks, 2 answers, 3 is half a push and 4 its other half. */
function toyWatch(): ConversationWatch {
  let open = 0;
  let half = false;
  return {
    sent(octets) {
      open += octets.filter((octet) => octet === 1).length;
    },
    received(octets) {
      for (const octet of octets) {
        if (octet === 2) open--;
        if (octet === 3 || octet === 4) half = octet === 3;
        if (octet === 99) throw new Error("no octet of this protocol");
      }
    },
    get atRest() {
      return open === 0 && !half;
    },
  };
}
const held = () => {
  const clock = virtualClock();
  const [ours, meter] = linkPair(clock);
  return { clock, meter, connection: holdConnection(ours, toyWatch(), clock) };
};
const octets = (...values: number[]) => Uint8Array.from(values);

describe("a connection that a meter holds", () => {
  it("gives its first conversation what came before it, and later ones nothing of what came between", async () => {
    const { clock, meter, connection } = held();
    await meter.send(octets(7));
    await clock.pass(10);
    const first = await clock.until(connection.take(clock.now() + 1_000));
    expect([...(await clock.until(first.receive(clock.now() + 1_000)))]).toEqual([7]);
    await first.close();
    await meter.send(octets(8, 8));
    await clock.pass(10);
    const second = await clock.until(connection.take(clock.now() + 1_000));
    await expect(clock.until(second.receive(clock.now() + 100))).rejects.toMatchObject({ code: "link.timeout" });
    await second.send(octets(1));
    await meter.send(octets(2));
    expect([...(await clock.until(second.receive(clock.now() + 1_000)))]).toEqual([2]);
    await second.close();
    expect(connection.isOpen).toBe(true);
    await expect(second.send(octets(1))).rejects.toMatchObject({ code: "link.closed" });
  });

  it("has conversations wait for their turn, a few of them, for as long as they like to", async () => {
    const { clock, connection } = held();
    const first = await clock.until(connection.take(clock.now() + 1_000));
    const waiting = Array.from({ length: WAITING_MAX }, () => connection.take(clock.now() + 5_000));
    await expect(connection.take(clock.now() + 5_000)).rejects.toMatchObject({ reason: "busy" });
    await clock.pass(100);
    await first.close();
    const second = await clock.until(waiting[0]!);
    const rest = Promise.allSettled(waiting.slice(1));
    for (const outcome of await clock.until(rest)) expect(outcome).toMatchObject({ reason: { reason: "busy" } });
    expect(connection.busy).toBe(true);
    await second.close();
    expect(connection.busy).toBe(false);
    await (await clock.until(connection.take(clock.now() + 1_000))).close();
  });

  it("ends with a conversation that leaves an answer open", async () => {
    const { clock, connection, meter } = held();
    const talk = await clock.until(connection.take(clock.now() + 1_000));
    await talk.send(octets(1));
    const next = connection.take(clock.now() + 5_000);
    await talk.close();
    await expect(clock.until(next)).rejects.toMatchObject({ code: "link.route-lost" });
    await clock.until(connection.closed);
    await expect(meter.send(octets(2))).rejects.toMatchObject({ code: "link.closed" });
    await expect(connection.take(clock.now() + 1_000)).rejects.toMatchObject({ code: "link.route-lost" });
  });

  it("begins no conversation in the middle of a push, and gives up a push that never ends", async () => {
    const { clock, connection, meter } = held();
    await (await clock.until(connection.take(clock.now() + 1_000))).close();
    await meter.send(octets(3));
    await clock.pass(10);
    const talk = connection.take(clock.now() + 5_000);
    await clock.pass(500);
    await meter.send(octets(4));
    await (await clock.until(talk)).close();
    await meter.send(octets(3));
    await clock.pass(10);
    await expect(clock.until(connection.take(clock.now() + 5_000))).rejects.toMatchObject({ code: "link.route-lost" });
    expect(connection.isOpen).toBe(false);
  });

  it.each([
    ["floods it between conversations", new Uint8Array(AHEAD_MAX + 1)],
    ["speaks another protocol", octets(99)],
  ])("ends when the meter %s", async (_what, said) => {
    const { clock, connection, meter } = held();
    await meter.send(said);
    await clock.until(connection.closed);
    expect(connection.isOpen).toBe(false);
  });

  it("ends for the conversation, too, when the meter hangs up", async () => {
    const { clock, connection, meter } = held();
    const talk = await clock.until(connection.take(clock.now() + 1_000));
    const receiving = talk.receive(clock.now() + 60_000);
    await meter.close();
    await expect(clock.until(receiving)).rejects.toMatchObject({ code: "link.closed" });
    await clock.until(connection.closed);
  });
});
