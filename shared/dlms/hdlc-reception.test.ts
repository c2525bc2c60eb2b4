import { describe, expect, it } from "vitest";
import { type Link, LinkError } from "../ports/link.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { concat, toHex } from "../ports/octets.ts";
import { seeded } from "../ports/random.ts";
import { encode } from "../wire/codec.ts";
import { access, contextOf, deviceOf, holding, METER_TITLE, profileOf } from "./client/loopback-fixture.ts";
import { openSession } from "./client/open-session.ts";
import type { Data } from "./data.ts";
import { DataNotification } from "./data-notification.ts";
import { HDLC_DEFAULTS } from "./hdlc-parameters.ts";
import { HDLC_CONTROL, hdlcFrame } from "./hdlc-station.ts";
import { DataObject } from "./objects/data.ts";
import { attributeOf } from "./objects/interface-class.ts";
import { dlmsReception } from "./reception.ts";
import { HdlcServerConnection } from "./server/hdlc-connection.ts";

const NAME = "0.0.42.0.0.255";
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const push = (notificationBody: Data): Uint8Array => {
  const apdu = encode(DataNotification, {
    longInvokeIdAndPriority: 1,
    dateTime: new Uint8Array(0),
    notificationBody,
    taggedDateTime: false,
  });
  const addresses = {
    own: { upper: 1, lower: 17, octets: 4 as const },
    peer: { upper: 16, lower: undefined, octets: 1 as const },
  };
  return hdlcFrame(addresses, HDLC_CONTROL.ui, concat(Uint8Array.of(0xe6, 0xe7, 0x00), apdu));
};

/** An HDLC meter that calls in, says these octets by itself, and is watched on; `cut` says in which chunks it speaks. */
function caller(first: readonly Uint8Array[], cut = 1_000) {
  const name = holding(1, NAME, { 2: { type: "octet-string", value: ascii("HRSmeter-17") } });
  const device = deviceOf([name], access({ authentication: "none", ciphering: "none", clientSap: 16 }));
  const ports = { crypto: nodeCrypto, random: seeded("meter") };
  const connection = new HdlcServerConnection(device, ports, { physicalDevice: 17, parameters: HDLC_DEFAULTS });
  const watch = dlmsReception.watch();
  const waiting: Uint8Array[] = [];
  const say = (octets: Uint8Array): void => {
    for (let at = 0; at < octets.length; at += cut) waiting.push(octets.slice(at, at + cut));
  };
  for (const octets of first) say(octets);
  const link: Link = {
    kind: "stream",
    send: async (octets) => {
      watch.sent(octets);
      for (const answer of connection.receive(octets.slice()).send) say(answer);
    },
    receive: async () => {
      const next = waiting.shift();
      if (next === undefined) throw new LinkError("link.timeout", "nothing came");
      watch.received(next);
      return next;
    },
    close: async () => undefined,
  };
  return { link, watch };
}

describe("an HDLC meter that calls in", () => {
  const named: Data = { type: "structure", value: [{ type: "octet-string", value: METER_TITLE }] };
  it.each([1_000, 7, 1])("is named by its push, cut into chunks of %i", async (cut) => {
    const { link } = caller([push(named)], cut);
    expect(await dlmsReception.introduce({ ...contextOf(link), firstWordMs: 1_000 })).toEqual({
      titles: [toHex(METER_TITLE)],
      serials: [],
    });
  });

  it.each([
    ["says nothing, so that the wrapper is tried first", []],
    ["pushes nothing of use, from an address of four octets", [push({ type: "unsigned", value: 9 })]],
  ])("that %s is asked, and can serve another conversation then", async (_, first) => {
    const { link, watch } = caller(first);
    const introduction = await dlmsReception.introduce({ ...contextOf(link), firstWordMs: 1_000 });
    expect(introduction).toEqual({ titles: [], serials: ["HRSmeter-17", "meter-17"] });
    expect(watch.atRest).toBe(true);
    const profile = profileOf({
      access: access({
        authentication: "none",
        ciphering: "none",
        clientSap: 16,
        framing: "hdlc",
        hdlc: { physicalDevice: 17, addressOctets: 4, informationMax: 128, window: 1 },
      }),
    });
    const session = await openSession(contextOf(link, { profile }));
    expect(watch.atRest).toBe(false);
    await session.read(attributeOf(DataObject, DataObject.attributes.value, NAME));
    await session.release();
    expect(watch.atRest).toBe(true);
  });
});
