import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { DialRoute } from "../../shared/metering/route.ts";
import { tcpDial } from "./tcp-dial.ts";

const clock = { now: () => Date.now() };
const dial = tcpDial(clock);
const soon = (ms = 2_000) => Date.now() + ms;
const servers: Server[] = [];

async function listen(onPeer: (socket: Socket) => void, host = "127.0.0.1"): Promise<DialRoute> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    onPeer(socket);
  });
  servers.push(server);
  server.listen(0, host);
  await once(server, "listening");
  return { kind: "dial", host, port: (server.address() as AddressInfo).port, transport: "tcp" };
}
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe("a TCP link", () => {
  it.each(["127.0.0.1", "::1"])("carries octets both ways over %s", async (host) => {
    const route = await listen((peer) => peer.on("data", (chunk) => peer.write(chunk)), host);
    const link = await dial(route, soon());
    await link.send(new Uint8Array([1, 2, 3]));
    expect([...(await link.receive(soon()))]).toEqual([1, 2, 3]);
    await link.close();
    await link.close();
    await expect(link.send(new Uint8Array([1]))).rejects.toMatchObject({ code: "link.closed" });
  });

  it("gives what was received before it says that the peer has closed", async () => {
    const link = await dial(await listen((peer) => peer.end(Buffer.from([7]))), soon());
    expect([...(await link.receive(soon()))]).toEqual([7]);
    await expect(link.receive(soon())).rejects.toMatchObject({ code: "link.closed" });
    await link.close();
  });

  it("is closed when the peer resets it", async () => {
    const link = await dial(await listen((peer) => setTimeout(() => peer.resetAndDestroy(), 20)), soon());
    await expect(link.receive(soon())).rejects.toMatchObject({ code: "link.closed", detail: { code: "ECONNRESET" } });
    await link.close();
  });

  it("times out at the deadline and still delivers what comes later", async () => {
    const link = await dial(await listen((peer) => setTimeout(() => peer.write(Buffer.from([9])), 120)), soon());
    const begun = Date.now();
    await expect(link.receive(soon(40))).rejects.toMatchObject({ code: "link.timeout", retry: "later" });
    expect(Date.now() - begun).toBeLessThan(110);
    expect([...(await link.receive(soon()))]).toEqual([9]);
    await link.close();
  });

  it("lets its last octets leave when it is closed, and fails a waiting receive", async () => {
    const heard: Buffer[] = [];
    const route = await listen((peer) => peer.on("data", (chunk) => heard.push(chunk)));
    const link = await dial(route, soon());
    const waiting = link.receive(soon());
    await link.send(new Uint8Array(50_000).fill(5));
    await Promise.all([link.close(), expect(waiting).rejects.toMatchObject({ code: "link.closed" })]);
    await expect.poll(() => Buffer.concat(heard).length).toBe(50_000);
  });

  it("is unreachable where nobody listens, or nobody answers in time", async () => {
    const route = await listen(() => undefined);
    servers.pop()?.close();
    await expect(dial(route, soon())).rejects.toMatchObject({
      code: "link.unreachable",
      detail: { code: "ECONNREFUSED" },
    });
    // TEST-NET-1 answers nobody; where the machine has no way out at all it is refused at once: the same answer.
    const nowhere = { ...route, host: "192.0.2.1" };
    await expect(dial(nowhere, soon(80))).rejects.toMatchObject({ code: "link.unreachable" });
  });
});
