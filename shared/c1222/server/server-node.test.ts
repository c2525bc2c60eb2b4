import { describe, expect, it } from "vitest";
import type { GenConfig } from "../../c1219/gen-config.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex, toHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { AContext, NO_ELEMENTS } from "../a-context.ts";
import { type EpsemControl, epsemControl, readPayload, writePayload } from "../epsem.ts";
import { responseName } from "../response-code.ts";
import { eaxPrimeKey } from "../security/eax-prime.ts";
import { clearApdu, type Envelope, openApdu, securedApdu } from "../security/secured-apdu.ts";
import { encodeRequest, type Request } from "../services/request.ts";
import { decodeResponse, okResponse } from "../services/response.ts";
import { communicationModule } from "./communication-module.ts";
import { recoveryDesk } from "./group-desk.ts";
import { ServerNode } from "./server-node.ts";
import { serviceDesk } from "./service-desk.ts";

const NOW = Date.parse("2026-11-10T09:07:13Z");
const MINUTE_MS = 60_000;
const KEY_ID = 1;
const TITLE = ".23.1";
const key = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex("0f".repeat(16))));
const stranger = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex("ab".repeat(16))));
const READ: Request = { service: "fullRead", tableId: 1 };
const CONFIG: GenConfig = {
  dataOrder: "little",
  charFormat: 1,
  timeFormat: 4,
  dataAccessMethod: 3,
  idForm: 0,
  intFormat: 0,
  niFormat1: 8,
  niFormat2: 8,
};

/** A node with table 1, and who asks it. `recovers`: it lets through what its clock takes for late. */
function world(securityMode: 0 | 1 | 2 = 2, recovers = false) {
  const refused: number[] = [];
  let own = 100;
  let id = 0;
  let now = NOW;
  const desk = serviceDesk({
    tables: { read: (table) => (table === 1 ? Uint8Array.of(7) : undefined), write: () => "ok" },
  });
  const node = new ServerNode({
    apTitle: TITLE,
    securityMode,
    keyOf: (keyId) => (keyId === KEY_ID ? key : undefined),
    now: () => now,
    nextInvocationId: () => ++own,
    desk,
    ...(recovers && { recovery: recoveryDesk(desk, () => CONFIG) }),
    witness: { accepted: () => undefined, refused: (invocationId) => refused.push(invocationId) },
  });
  interface Asked {
    readonly services?: readonly (Request | Uint8Array)[];
    readonly control?: Partial<EpsemControl>;
    readonly envelope?: Partial<Envelope>;
    readonly keyId?: number;
    readonly by?: typeof key;
    readonly at?: number;
  }
  const message = ({ services = [READ], control, envelope, keyId = KEY_ID, by = key, at = NOW }: Asked): Uint8Array => {
    id++;
    const around = {
      ...NO_ELEMENTS,
      calledApTitle: TITLE,
      callingApTitle: ".1.1",
      callingApInvocationId: Uint8Array.of(id),
      ...envelope,
    };
    const said = epsemControl({ securityMode: 2, ...control });
    const payload = writePayload({
      edClass: undefined,
      services: services.map((one) => (one instanceof Uint8Array ? one : encodeRequest(one))),
    });
    return said.securityMode === 0
      ? clearApdu(around, said, payload)
      : securedApdu(by, { keyId, iv: Math.floor(at / 1000) }, around, said, payload);
  };
  /** `mode: codes`; undefined: it says nothing. */
  const said = (octets: Uint8Array): string | undefined => {
    const answer = node.receive(octets)?.octets;
    if (answer === undefined) return undefined;
    const apdu = decode(AContext, answer);
    expect([apdu.callingApTitle, apdu.calledApTitle]).toEqual([TITLE, ".1.1"]);
    const opened = openApdu(apdu, () => key);
    if (opened.kind !== "opened") throw new Error(opened.code);
    const { services } = readPayload(opened.payload, false);
    const codes = services.map((one) => responseName(decodeResponse(undefined, one).code));
    return `${opened.control.securityMode}: ${codes.join(" ")}`;
  };
  const setClock = (to: number): void => {
    now = to;
  };
  return { node, message, said, ask: (asked: Asked) => said(message(asked)), refused, setClock };
}

describe("a node", () => {
  it("answers in the security mode of the request, and in none that is weaker than its own", () => {
    expect(world(2).ask({})).toBe("2: ok");
    for (const securityMode of [0, 1] as const) expect(world(2).ask({ control: { securityMode } })).toBe("0: sme");
    expect(world(1).ask({ control: { securityMode: 1 } })).toBe("1: ok");
    expect(world(1).ask({ control: { securityMode: 2 } })).toBe("2: ok");
    expect(world(1).ask({ control: { securityMode: 0 } })).toBe("0: sme");
    expect(world(0).ask({ control: { securityMode: 0 } })).toBe("0: ok");
  });

  it("says no more than sme to what does not verify under the key that is named", () => {
    expect(world().ask({ by: stranger })).toBe("0: sme");
    expect(world().ask({ keyId: 2 })).toBe("0: sme");
  });

  it("says nothing to what is for somebody else, comes from nobody, or is an answer itself", () => {
    expect(world().ask({ envelope: { calledApTitle: ".23.2" } })).toBeUndefined();
    expect(world().ask({ envelope: { callingApTitle: undefined } })).toBeUndefined();
    expect(world().ask({ envelope: { calledApInvocationId: Uint8Array.of(1) } })).toBeUndefined();
    const clear = { securityMode: 0 } as const;
    expect(world(0).ask({ control: clear, envelope: { calledApTitle: undefined } })).toBeUndefined();
  });

  it("serves what was sent within a quarter of an hour of its own clock, before or after it", () => {
    for (const minutes of [-14, 14]) expect(world().ask({ at: NOW + minutes * MINUTE_MS })).toBe("2: ok");
    for (const minutes of [-16, 16]) expect(world().ask({ at: NOW + minutes * MINUTE_MS })).toBeUndefined();
  });

  it("gives the same octets the same answer, and a used id nothing", () => {
    const { node, message, said, refused } = world();
    const first = message({});
    const answer = node.receive(first)?.octets;
    expect(toHex(node.receive(first)?.octets ?? new Uint8Array(0))).toBe(toHex(answer ?? new Uint8Array(1)));
    expect(refused).toEqual([]);
    const used = message({ services: [READ, READ], envelope: { callingApInvocationId: Uint8Array.of(1) } });
    expect(said(used)).toBeUndefined();
    expect(refused).toEqual([1]);
  });

  it("answers always, on exception or never, as the request wants it", () => {
    const missing: Request = { service: "fullRead", tableId: 2 };
    const answers = (responseControl: 0 | 1 | 2, services: readonly Request[]) =>
      world().ask({ services, control: { responseControl } });
    expect([answers(0, [READ]), answers(1, [READ]), answers(2, [READ])]).toEqual(["2: ok", undefined, undefined]);
    expect([answers(1, [missing]), answers(2, [missing])]).toEqual(["2: iar", undefined]);
  });

  it("does services in their order, up to the first that it refuses", () => {
    const missing: Request = { service: "fullRead", tableId: 2 };
    expect(world().ask({ services: [READ, READ] })).toBe("2: ok ok");
    expect(world().ask({ services: [READ, missing, READ] })).toBe("2: ok iar");
    expect(world().ask({ services: [fromHex("23")] })).toBe("2: sns");
    expect(world().ask({ services: [fromHex("3000")] })).toBe("2: err");
  });

  it("takes a recovery session and a proxy's mark for what they are, authenticated", () => {
    expect(world().ask({ control: { recoverySession: true, proxyServiceUsed: true } })).toBe("2: ok");
    const { message, said } = world();
    const octets = message({ control: { proxyServiceUsed: true } });
    const { userInformation } = decode(AContext, octets);
    const at = userInformation.octetAligned.byteOffset - octets.byteOffset;
    octets[at]! ^= 0x20;
    expect(said(octets)).toBe("0: sme");
  });
});

describe("a node whose clock is lost", () => {
  const at = NOW + 3 * 60 * MINUTE_MS;
  const recovery = { recoverySession: true };
  const procedure = (hex: string): Request => ({ service: "fullWrite", tableId: 7, data: fromHex(hex) });

  it("serves reads and the setting of its clock in a recovery session, and nothing else", () => {
    const { ask } = world(2, true);
    expect(ask({ at })).toBeUndefined();
    expect(ask({ at, control: recovery })).toBe("2: ok");
    expect(ask({ at, control: recovery, services: [procedure("0a002103000000000000")] })).toBe("2: ok");
    expect(ask({ at, control: recovery, services: [procedure("09002101")] })).toBe("2: isc");
    expect(ask({ at, control: recovery, services: [procedure("05082100")] })).toBe("2: isc");
    expect(world(2, false).ask({ at, control: recovery })).toBeUndefined();
  });

  it("serves no message of one again, nor one from before it, whatever its clock was set to", () => {
    const { ask, message, said, setClock } = world(2, true);
    const before = message({ at: at - 1000, control: recovery });
    const set = message({ at, control: recovery, services: [procedure("0a002103000000000000")] });
    expect(said(set)).toBe("2: ok");
    for (let times = 0; times < 5; times++) expect(ask({ at, control: recovery })).toBe("2: ok");
    expect([said(before), said(set)]).toEqual([undefined, undefined]);
    setClock(at);
    expect([said(before), said(set)]).toEqual([undefined, undefined]);
    expect(ask({ at: at + 1000 })).toBe("2: ok");
  });
});

describe("a communication module whose meter is dead", () => {
  const module = communicationModule({ apTitle: TITLE, nextInvocationId: () => 5 });
  const clear = { securityMode: 0 } as const;
  const identification: Request = { service: "identification" };

  it("says in clear who it is, under the request's id", () => {
    const answer = module.receive(world(0).message({ services: [identification], control: clear }))?.octets;
    const apdu = decode(AContext, answer ?? new Uint8Array(0));
    expect([apdu.callingApTitle, apdu.calledApInvocationId]).toEqual([TITLE, Uint8Array.of(1)]);
    const opened = openApdu(apdu, () => undefined);
    const { services } = readPayload(opened.kind === "opened" ? opened.payload : new Uint8Array(0), false);
    expect(decodeResponse("identification", services[0] ?? new Uint8Array(0))).toMatchObject({
      ...okResponse(),
      body: { kind: "identification", standard: 3 },
    });
  });

  it("has nothing to say to all that only the meter could answer", () => {
    const { message } = world(0);
    const silent = [
      message({ services: [identification] }),
      message({ control: clear }),
      message({ services: [identification, READ], control: clear }),
      message({ services: [identification], control: { ...clear, responseControl: 2 } }),
      message({ services: [identification], control: clear, envelope: { calledApTitle: ".23.2" } }),
      fromHex("60"),
    ];
    for (const octets of silent) expect(module.receive(octets)).toBeUndefined();
  });
});
