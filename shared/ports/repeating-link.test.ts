import { describe, expect, it } from "vitest";
import { type Link, LinkError } from "./link.ts";
import { repeatingLink } from "./repeating-link.ts";

/** A datagram link in virtual time: `answers` says what comes for a datagram, and after how long; a lost one brings nothing. */
function wire(answers: (octets: Uint8Array, count: number) => readonly { after: number; octets: Uint8Array }[]) {
  let now = 0;
  const sent: { at: number; octet: number | undefined }[] = [];
  const due: { at: number; octets: Uint8Array }[] = [];
  const link: Link = {
    kind: "datagram",
    send: async (octets) => {
      sent.push({ at: now, octet: octets[0] });
      for (const { after, octets: answer } of answers(octets, sent.length))
        due.push({ at: now + after, octets: answer });
      due.sort((left, right) => left.at - right.at);
    },
    receive: async (deadline) => {
      const next = due[0];
      if (next === undefined || next.at > deadline) {
        now = Math.max(now, deadline);
        throw new LinkError("link.timeout", "nothing came");
      }
      now = Math.max(now, next.at);
      due.shift();
      return next.octets;
    },
    close: async () => undefined,
  };
  return { link, sent, clock: { now: () => now } };
}
const octet = (value: number): Uint8Array => Uint8Array.of(value);
const answer = (value: number, after = 10) => [{ after, octets: octet(value) }];

describe("a repeating link", () => {
  it("sends the same octets again at a third and two thirds of the time, and then waits it out", async () => {
    const { link, sent, clock } = wire(() => []);
    const repeating = repeatingLink(link, clock, { withinMs: 3_000 });
    await repeating.sendRepeatedly(octet(1));
    await expect(repeating.receive(3_000)).rejects.toMatchObject({ code: "link.timeout" });
    expect(sent).toEqual([0, 1_000, 2_000].map((at) => ({ at, octet: 1 })));
    expect(clock.now()).toBe(3_000);
    expect(repeating.repeats).toBe(2);
  });

  it("makes up for a lost request, and gives the late answer to it once", async () => {
    const { link, sent, clock } = wire((_, count) => answer(7, count === 1 ? 1_500 : 600));
    const repeating = repeatingLink(link, clock, { withinMs: 3_000 });
    await repeating.sendRepeatedly(octet(1));
    expect(await repeating.receive(3_000)).toEqual(octet(7));
    await repeating.sendRepeatedly(octet(2));
    expect(sent.map((each) => each.octet)).toEqual([1, 1, 2]);
    await expect(repeating.receive(clock.now() + 50)).rejects.toMatchObject({ code: "link.timeout" });
  });

  it("repeats all datagrams of one request, and none of the one before", async () => {
    const { link, sent, clock } = wire((octets) => (octets[0] === 1 ? answer(9) : []));
    const repeated: number[] = [];
    const repeating = repeatingLink(link, clock, { withinMs: 900, onRepeat: ([first = 0]) => repeated.push(first) });
    await repeating.sendRepeatedly(octet(1));
    await repeating.receive(900);
    await repeating.sendRepeatedly(octet(2));
    await repeating.sendRepeatedly(octet(3));
    await expect(repeating.receive(clock.now() + 900)).rejects.toMatchObject({ code: "link.timeout" });
    expect(sent.map((each) => each.octet)).toEqual([1, 2, 3, 2, 3, 2, 3]);
    expect(repeated).toEqual([2, 3, 2, 3]);
  });

  it("never repeats what is sent once, even after something that may be", async () => {
    const { link, sent, clock } = wire(() => []);
    const repeating = repeatingLink(link, clock, { withinMs: 900 });
    await repeating.sendRepeatedly(octet(1));
    await repeating.send(octet(2));
    await expect(repeating.receive(900)).rejects.toMatchObject({ code: "link.timeout" });
    expect(sent.map((each) => each.octet)).toEqual([1, 2]);
  });
});
