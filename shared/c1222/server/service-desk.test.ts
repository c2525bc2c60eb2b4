import { describe, expect, it } from "vitest";
import { fromHex } from "../../ports/octets.ts";
import { responseName } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import { type MessageFacts, type ServiceDeskOptions, serviceDesk } from "./service-desk.ts";

const password = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(20));
const user = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(10));
const USERS: NonNullable<ServiceDeskOptions["users"]> = new Map([
  [2, { name: "HEADEND", password: password("secret"), access: "write" }],
  [3, { name: "READER", password: password("other"), access: "read" }],
]);

function desk(options: Partial<ServiceDeskOptions> = {}) {
  const time = { now: 1_000_000 };
  let table = fromHex("00010203");
  const made = serviceDesk({
    tables: {
      read: (id) => (id === 6 ? table : undefined),
      write: (id, offset, data) => {
        if (id !== 6) return "iar";
        table = table.slice();
        table.set(data, offset ?? 0);
        return "ok";
      },
      rangeOfIndex: (_, [index = 0], count) => (index > 3 ? undefined : { offset: index, length: count || 4 - index }),
    },
    users: USERS,
    sessions: { most: 1, sessionless: true },
    ...options,
  });
  const ask = (request: Request, message: Partial<MessageFacts> = {}): string => {
    const facts = { securityMode: 2, userId: undefined, callingTitle: "1.1", now: time.now, ...message } as const;
    const { code, body } = made.serve(request, facts);
    return body.kind === "data" ? `ok ${Buffer.from(body.data).toString("hex")}` : responseName(code);
  };
  return { ask, time };
}
const logon = (userId: number, name: string, idleTimeout = 60): Request => ({
  service: "logon",
  userId,
  user: user(name),
  idleTimeout,
});
const security = (text: string, userId?: number): Request => ({
  service: "security",
  password: password(text),
  userId,
});
const READ: Request = { service: "fullRead", tableId: 6 };
const WRITE: Request = { service: "fullWrite", tableId: 6, data: fromHex("0a0b0c0d") };

describe("a node's sessions", () => {
  it("log on, prove who speaks, serve, log off", () => {
    const { ask } = desk();
    expect(ask(READ)).toBe("isc");
    expect(ask(logon(2, "HEADEND"))).toBe("ok");
    expect(ask(READ)).toBe("isc");
    expect(ask(security("wrong"))).toBe("isc");
    expect(ask(security("secret"))).toBe("ok");
    expect(ask(READ)).toBe("ok 00010203");
    expect(ask(READ, { callingTitle: "1.2" })).toBe("isc");
    expect(ask({ service: "logoff" })).toBe("ok");
    expect([ask(READ), ask({ service: "logoff" })]).toEqual(["isc", "isss"]);
  });

  it("are for those who are known, and only so many", () => {
    const { ask } = desk();
    expect([ask(logon(9, "HEADEND")), ask(logon(2, "READER"))]).toEqual(["isc", "isc"]);
    expect(ask(logon(2, "HEADEND"))).toBe("ok");
    expect(ask(logon(2, "HEADEND"))).toBe("isss");
    expect(ask(logon(3, "READER"), { callingTitle: "1.2" })).toBe("bsy");
    expect(ask({ service: "terminate" })).toBe("ok");
    expect(ask(logon(3, "READER"), { callingTitle: "1.2" })).toBe("ok");
  });

  it("end when they were idle, a wait lengthens that once", () => {
    const { ask, time } = desk();
    const begin = (): void => {
      expect([ask(logon(2, "HEADEND", 60)), ask(security("secret"))]).toEqual(["ok", "ok"]);
    };
    begin();
    time.now += 59_000;
    expect(ask(READ)).toBe("ok 00010203");
    time.now += 60_000;
    expect(ask(READ)).toBe("isc");
    begin();
    expect(ask({ service: "wait", seconds: 200 })).toBe("ok");
    time.now += 199_000;
    expect(ask(READ)).toBe("ok 00010203");
    time.now += 60_000;
    expect([ask(READ), ask({ service: "wait", seconds: 9 })]).toEqual(["isc", "isss"]);
  });

  it("are the only way where the node wants them, and none where it has none", () => {
    expect(desk({ sessions: { most: 1, sessionless: false } }).ask(READ)).toBe("isss");
    const none = desk({ sessions: { most: 0, sessionless: true } });
    expect(none.ask(logon(2, "HEADEND"))).toBe("isss");
  });
});

describe("a password", () => {
  it("is taken enciphered alone", () => {
    for (const securityMode of [0, 1] as const) expect(desk().ask(security("secret", 2), { securityMode })).toBe("isc");
    expect(desk().ask(security("secret", 2))).toBe("ok");
  });
  it("says whose it is outside of a session, and not within one", () => {
    const { ask } = desk();
    expect(ask(security("secret"))).toBe("isc");
    ask(logon(2, "HEADEND"));
    expect(ask(security("secret", 2))).toBe("isc");
  });
});

describe("writes", () => {
  it("are by whole tables, by offset and by index, for who may write", () => {
    const { ask } = desk();
    const message = { userId: 2 };
    expect(ask(WRITE, { userId: 3 })).toBe("isc");
    expect([ask(WRITE, message), ask(READ, message)]).toEqual(["ok", "ok 0a0b0c0d"]);
    ask({ service: "partialWriteOffset", tableId: 6, offset: 1, data: fromHex("ff") }, message);
    expect(ask(READ, message)).toBe("ok 0aff0c0d");
    ask({ service: "partialWriteIndex", tableId: 6, index: [2], data: fromHex("ee") }, message);
    expect(ask(READ, message)).toBe("ok 0affee0d");
    expect(ask({ service: "partialReadIndex", tableId: 6, index: [2], elementCount: 0 }, message)).toBe("ok ee0d");
    expect(ask({ service: "partialReadIndex", tableId: 6, index: [4], elementCount: 1 }, message)).toBe("iar");
    expect(ask({ service: "fullWrite", tableId: 5, data: fromHex("00") }, message)).toBe("iar");
  });
  it("a node without access by offset or by index says so", () => {
    const { ask } = desk({ tables: { read: () => fromHex("00"), offsets: false } });
    const message = { userId: 2 };
    expect(ask({ service: "partialReadOffset", tableId: 6, offset: 0, octetCount: 1 }, message)).toBe("sns");
    expect(ask({ service: "partialReadIndex", tableId: 6, index: [0], elementCount: 1 }, message)).toBe("sns");
  });
});
