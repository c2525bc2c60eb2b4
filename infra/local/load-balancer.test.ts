import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Splitter, type Target } from "./load-balancer.ts";

describe("the splitter", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** A task that answers with its own name and what it got, on TCP and UDP. */
  const task = async (name: string, health = { up: true }): Promise<Target> => {
    const tcp = createServer((socket) => socket.on("data", (octets) => socket.write(`${name} ${octets}`)));
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as { port: number };
    const udp = createSocket("udp4");
    udp.on("message", (octets, from) => udp.send(`${name} ${octets}`, from.port, from.address));
    udp.bind(port, "127.0.0.1");
    await once(udp, "listening");
    closing.push(
      () => tcp.close(),
      () => udp.close(),
    );
    return { name, host: "127.0.0.1", port, healthy: () => health.up };
  };
  const splitter = async (targets: Target[], protocols: ("tcp" | "udp")[]): Promise<number> => {
    const made = new Splitter({ host: "127.0.0.1", port: 0, protocols, targets });
    await made.start();
    closing.push(() => made.close());
    return made.port;
  };
  const say = async (port: number, text: string): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    socket.write(text);
    const [answer] = await Promise.race([once(socket, "data"), once(socket, "close").then(() => ["closed"])]);
    socket.destroy();
    return String(answer);
  };

  it("gives connections to healthy tasks in turn", async () => {
    const health = { up: true };
    const port = await splitter([await task("a"), await task("b", health)], ["tcp"]);
    expect([await say(port, "1"), await say(port, "2"), await say(port, "3")]).toEqual(["a 1", "b 2", "a 3"]);
    health.up = false;
    expect([await say(port, "4"), await say(port, "5")]).toEqual(["a 4", "a 5"]);
  });

  it("closes at once when nobody is healthy", async () => {
    expect(await say(await splitter([await task("a", { up: false })], ["tcp"]), "1")).toBe("closed");
  });

  it("has one port for both, and keeps the address of who comes", async () => {
    const tcp = createServer((socket) => socket.end(String(socket.remoteAddress)));
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port: own } = tcp.address() as { port: number };
    const udp = createSocket("udp4");
    udp.on("message", (_octets, from) => udp.send(from.address, from.port, from.address));
    udp.bind(own, "127.0.0.1");
    await once(udp, "listening");
    closing.push(
      () => tcp.close(),
      () => udp.close(),
    );
    const port = await splitter([{ name: "a", host: "127.0.0.1", port: own, healthy: () => true }], ["tcp", "udp"]);
    const socket = connect({ port, host: "127.0.0.1", localAddress: "127.7.7.7" });
    expect(String((await once(socket, "data"))[0])).toBe("127.7.7.7");
    const meter = createSocket("udp4");
    closing.push(() => meter.close());
    meter.bind({ address: "127.7.7.8" });
    meter.send("?", port, "127.0.0.1");
    expect(String((await once(meter, "message"))[0])).toBe("127.7.7.8");
  });

  it("keeps a datagram flow with one task", async () => {
    const port = await splitter([await task("a"), await task("b")], ["udp"]);
    const meter = createSocket("udp4");
    closing.push(() => meter.close());
    const ask = async (text: string): Promise<string> => {
      meter.send(text, port, "127.0.0.1");
      const [octets] = await once(meter, "message");
      return String(octets);
    };
    expect([await ask("1"), await ask("2")]).toEqual(["a 1", "a 2"]);
  });
});
