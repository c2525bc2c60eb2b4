import { describe, expect, it } from "vitest";
import { IDLE_MS, relays } from "../../shared/bridge/relay-dial.ts";
import { AContext, integerContentOf, NO_ELEMENTS } from "../../shared/c1222/a-context.ts";
import { epsemControl, writePayload } from "../../shared/c1222/epsem.ts";
import { responseCode } from "../../shared/c1222/response-code.ts";
import { clearApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { encodeRequest } from "../../shared/c1222/services/request.ts";
import { encodeResponse, type Response, refusal } from "../../shared/c1222/services/response.ts";
import type { RelayRoute } from "../../shared/metering/route.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { decode } from "../../shared/wire/codec.ts";
import { linkPair } from "./attached-field.ts";
import { virtualClock } from "./virtual-clock.ts";

const RELAY = ".30";
const OWN = ".1.1";
const ROUTE: RelayRoute = { kind: "relay", host: "198.51.100.7", port: 1153, transport: "tcp", path: [RELAY] };

const ask = (title: string, id: number): Uint8Array =>
  clearApdu(
    { ...NO_ELEMENTS, calledApTitle: title, callingApTitle: OWN, callingApInvocationId: integerContentOf(id) },
    epsemControl({}),
    writePayload({ edClass: undefined, services: [encodeRequest({ service: "identification" })] }),
  );
const answer = (from: string, id: number, response: Response, securityMode: 0 | 1 = 0): Uint8Array =>
  clearApdu(
    {
      ...NO_ELEMENTS,
      calledApTitle: OWN,
      calledApInvocationId: integerContentOf(id),
      callingApTitle: from,
      callingApInvocationId: integerContentOf(9),
    },
    epsemControl({ securityMode }),
    writePayload({ edClass: undefined, services: [encodeResponse(response)] }),
  );
const OKAY: Response = { code: 0, body: { kind: "none" } };

function world() {
  const clock = virtualClock();
  const dialled: Link[] = [];
  const other: Uint8Array[] = [];
  const desk = relays({
    clock,
    onOther: (apdu) => void other.push(apdu),
    dial: async () => {
      const [ours, relay] = linkPair(clock);
      dialled.push(relay);
      return ours;
    },
  });
  const open = () => clock.until(desk.dial(ROUTE, clock.now() + 1_000));
  const next = (link: Link) => clock.until(link.receive(clock.now() + 1_000));
  return { clock, dialled, other, desk, open, next };
}

describe("a connection to a relay", () => {
  it("is one for all meters behind it, and each answer reaches who asked this node under this id", async () => {
    const { clock, dialled, open, next } = world();
    const [first, second, third] = [await open(), await open(), await open()];
    expect(dialled).toHaveLength(1);
    await first!.send(ask(".30.1", 7));
    await second!.send(ask(".30.2", 7));
    await third!.send(ask(".30.1", 8));
    for (const answered of [answer(".30.1", 8, OKAY), answer(".30.2", 7, OKAY), answer(".30.1", 7, OKAY)])
      await dialled[0]!.send(answered);
    expect(decode(AContext, await next(first!))).toMatchObject({ callingApTitle: ".30.1" });
    expect(decode(AContext, await next(second!))).toMatchObject({ callingApTitle: ".30.2" });
    expect(decode(AContext, await next(third!)).calledApInvocationId).toEqual(integerContentOf(8));
    await expect(clock.until(first!.receive(clock.now() + 10))).rejects.toMatchObject({ code: "link.timeout" });
  });

  it("hands on what nobody waits for, and lives through what is no APDU's content", async () => {
    const { clock, dialled, other, open, next } = world();
    const link = await open();
    await link.send(ask(".30.1", 7));
    await dialled[0]!.send(answer(".30.9", 7, OKAY)); // of a node that was not asked
    await dialled[0]!.send(Uint8Array.of(0x60, 2, 0xa2, 0));
    await dialled[0]!.send(answer(".30.1", 7, OKAY));
    expect(decode(AContext, await next(link))).toMatchObject({ callingApTitle: ".30.1" });
    await link.close();
    await dialled[0]!.send(answer(".30.1", 7, OKAY)); // once more, and too late
    await clock.pass(10);
    expect(other.map((apdu) => decode(AContext, apdu).callingApTitle)).toEqual([".30.9", ".30.1"]);
  });

  it.each([
    ["uat", "unreachable"],
    ["netr", "unreachable"],
    ["nett", "timeout"],
  ])(
    "makes a relay's %s a failure of the way, in the node's stead or under the relay's title",
    async (name, reason) => {
      const { dialled, open, next } = world();
      for (const from of [".30.1", RELAY]) {
        const link = await open();
        await link.send(ask(".30.1", 7));
        await dialled[0]!.send(answer(from, 7, refusal(responseCode(name))));
        await expect(next(link)).rejects.toMatchObject({ reason, code: `c1222.relay-${name}`, retry: "later" });
        await link.close();
      }
    },
  );

  it("leaves a node's own refusal in clear to who asked: to a secured request it is tampering", async () => {
    const { dialled, open, next } = world();
    const link = await open();
    await link.send(ask(".30.1", 7));
    const said = answer(".30.1", 7, refusal(responseCode("sme")));
    await dialled[0]!.send(said);
    expect(await next(link)).toEqual(said);
  });

  it("that ends, ends every conversation on it, and the next one dials again", async () => {
    const { clock, dialled, open } = world();
    const [first, second] = [await open(), await open()];
    const waits = clock.until(first!.receive(clock.now() + 60_000));
    await dialled[0]!.close();
    await expect(waits).rejects.toMatchObject({ code: "link.closed" });
    await expect(second!.send(ask(".30.1", 1))).rejects.toBeInstanceOf(LinkError);
    await open();
    expect(dialled).toHaveLength(2);
  });

  it("rests when nobody has used it for a while, and not before", async () => {
    const { clock, dialled, desk, open } = world();
    const link = await open();
    await link.close();
    await clock.pass(IDLE_MS - 1);
    const again = await open();
    await clock.pass(2 * IDLE_MS);
    expect([dialled.length, desk.connections]).toEqual([1, 1]);
    await again.close();
    await clock.pass(IDLE_MS + 1);
    expect(desk.connections).toBe(0);
    await open();
    expect(dialled).toHaveLength(2);
  });

  it("that cannot be dialled fails who asked, and is tried again by the next", async () => {
    const clock = virtualClock();
    let tries = 0;
    const desk = relays({
      clock,
      dial: async () => {
        tries++;
        throw new LinkError("link.unreachable", "nobody there");
      },
    });
    await expect(desk.dial(ROUTE, clock.now())).rejects.toMatchObject({ code: "link.unreachable" });
    await expect(desk.post(ROUTE, ask(".30.0", 1), clock.now())).rejects.toMatchObject({ code: "link.unreachable" });
    expect([tries, desk.connections]).toEqual([2, 0]);
  });
});
