import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { relayConnection } from "../../shared/bridge/relay-connection.ts";
import { clearRequest } from "../../shared/c1222/clear-message.ts";
import { addressOctets } from "../../shared/c1222/native-address.ts";
import type { Origin } from "../../shared/c1222/network/registrar.ts";
import { segmentsOf } from "../../shared/c1222/segmentation.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { concat, toHex } from "../../shared/ports/octets.ts";
import { type C1222Port, openC1222Port } from "./c1222-port.ts";

const request = clearRequest({ from: ".30.1", to: ".1.1", invocationId: 5 }, { service: "identification" });
let port: C1222Port | undefined;
afterEach(async () => {
  await port?.close();
  port = undefined;
});

const clock: Clock = { now: () => Date.now(), sleep: (ms, signal) => setTimeout(ms, undefined, { signal }) };

/** A port that answers each APDU with itself. */
async function echo(host: string) {
  const received: (readonly [string, Origin | undefined])[] = [];
  port = await openC1222Port(
    {
      connect: (link, from) => {
        const connection = relayConnection(link, clock, {
          path: [],
          onOther: (apdu) => {
            received.push([toHex(apdu), { transport: "tcp", ...from }]);
            void connection.post(apdu);
          },
        });
      },
      receive: async (octets, origin) => {
        received.push([toHex(octets), origin]);
        return octets;
      },
    },
    clock,
    { port: 0, host, connectionsMax: 4 },
  );
  return { port: port.port, received };
}

describe("the port of C12.22", () => {
  it.each(["127.0.0.1", "::1"])("takes a stream cut anywhere over %s, and answers on it", async (host) => {
    const { port: own, received } = await echo(host);
    const socket = connect({ host, port: own });
    await once(socket, "connect");
    const stream = concat(request, request);
    socket.write(stream.subarray(0, 7));
    await setTimeout(20);
    socket.write(stream.subarray(7));
    let answered = new Uint8Array(0);
    while (answered.length < stream.length) answered = concat(answered, (await once(socket, "data"))[0]) as never;
    expect(toHex(answered)).toBe(toHex(stream));
    const origin = { transport: "tcp", address: addressOctets(host), port: socket.localPort };
    expect(received).toEqual([
      [toHex(request), origin],
      [toHex(request), origin],
    ]);
    socket.write(Uint8Array.of(0x61)); // no APDU begins so
    await once(socket, "close");
  });

  it.each(["127.0.0.1", "::1"])(
    "joins segments in any order over %s, and answers to where they came from",
    async (host) => {
      const { port: own, received } = await echo(host);
      const socket = createSocket(host === "::1" ? "udp6" : "udp4");
      const segments = segmentsOf(request, 20).toReversed();
      for (const segment of [...segments, ...segments]) socket.send(segment, own, host);
      const [answer] = await once(socket, "message");
      expect(toHex(new Uint8Array(answer))).toBe(toHex(request));
      expect(received).toHaveLength(1);
      expect(received[0]?.[1]).toMatchObject({ transport: "udp", address: addressOctets(host) });
      socket.close();
    },
  );

  it("knows addresses by their octets", () => {
    expect(toHex(addressOctets("::ffff:192.0.2.7"))).toBe("c0000207");
    expect(toHex(addressOctets("2001:db8::7%eth0"))).toBe("20010db8000000000000000000000007");
    expect(toHex(addressOctets("fe80:0:0:0:1:2:3:4"))).toBe("fe800000000000000001000200030004");
  });
});
