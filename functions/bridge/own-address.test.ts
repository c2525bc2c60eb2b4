import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { addressOf, addressText, ownAddress } from "./own-address.ts";

describe("a task's own address", () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });
  const metadata = async (answer: unknown): Promise<string> => {
    const server = createServer((_, response) => response.end(JSON.stringify(answer)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v4/x`;
  };

  it("is what it was told, else what the platform's metadata say", async () => {
    expect(await ownAddress("127.0.0.1", undefined)).toBe("127.0.0.1");
    const both = {
      Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: ["10.0.1.17"], IPv6Addresses: ["2001:db8::1"] }],
    };
    expect(await ownAddress(undefined, await metadata(both))).toBe("10.0.1.17");
    expect(await ownAddress(undefined, await metadata({ Networks: [{ IPv6Addresses: ["2001:db8::1"] }] }))).toBe(
      "2001:db8::1",
    );
  });

  it("is an error when nobody knows it", async () => {
    await expect(ownAddress(undefined, undefined)).rejects.toThrow("TASK_ADDRESS");
    await expect(ownAddress(undefined, await metadata({ Networks: [] }))).rejects.toThrow("to name an address");
  });

  it.each([
    ["10.0.1.17", 4060, "10.0.1.17:4060"],
    ["2001:db8::1", 4060, "[2001:db8::1]:4060"],
  ])("is written with its port and read again: %s", (host, port, text) => {
    expect(addressText(host, port)).toBe(text);
    expect(addressOf(text)).toEqual({ host, port });
  });

  it("is nothing in another form", () => {
    for (const text of ["", "10.0.1.17", "2001:db8::1:4060x", ":4060"]) expect(addressOf(text)).toBeUndefined();
  });
});
