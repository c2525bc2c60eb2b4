import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { multicastSockets } from "./multicast-sockets.ts";

const GROUP = "239.192.201.1";
const LOOPBACK = "127.0.0.1";
const point = (port: number, over: object = {}) =>
  ({ kind: "multicast", address: GROUP, port, interface: LOOPBACK, hops: 1, ...over }) as const;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A member of the group, that answers each datagram to where it came from. */
async function member(answer?: Uint8Array): Promise<{ port: number; heard: string[] }> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  closing.push(() => socket.close());
  const heard: string[] = [];
  socket.on("message", (octets, peer) => {
    heard.push(octets.toString("hex"));
    if (answer !== undefined) socket.send(answer, peer.port, peer.address);
  });
  socket.bind({ port: 0, address: GROUP });
  await once(socket, "listening");
  socket.addMembership(GROUP, LOOPBACK);
  return { port: socket.address().port, heard };
}
async function until(condition: () => boolean): Promise<void> {
  for (let look = 0; look < 400 && !condition(); look++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

describe("datagrams for a group", () => {
  it("are one each, on the named interface; members answer to where they came from", async () => {
    const answers: string[] = [];
    const sockets = multicastSockets((octets) => void answers.push(Buffer.from(octets).toString("hex")));
    closing.push(() => sockets.close());
    const { port, heard } = await member(Uint8Array.of(0xaa, 0xbb));
    await sockets.send(point(port), Uint8Array.of(1, 2, 3));
    await until(() => answers.length === 1);
    expect(heard).toEqual(["010203"]);
    expect(answers).toEqual(["aabb"]);
    await sockets.send(point(port), Uint8Array.of(4));
    await until(() => heard.length === 2);
  });

  it("that cannot be sent are a failure worth another try", async () => {
    const sockets = multicastSockets(() => undefined);
    closing.push(() => sockets.close());
    await expect(sockets.send(point(1153, { interface: "203.0.113.9" }), Uint8Array.of(1))).rejects.toMatchObject({
      code: "link.unreachable",
      retry: "later",
    });
  });
});
