import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { concat, fromHex } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aare } from "../aare.ts";
import { ExceptionResponse } from "../exception-response.ts";
import { protectApdu } from "../security/apdu-protection.ts";
import { Wrapper, wrap } from "../wrapper.ts";
import {
  access,
  CLIENT_TITLE,
  contextOf,
  countersFrom,
  deviceOf,
  KEYS,
  loopback,
  METER_TITLE,
  profileOf,
  type Wire,
} from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

type Part = Parameters<typeof access>[0];
/** Opens a session with a device that has no objects; gives the link and what came of it. */
async function opened(
  part: Part = {},
  device: Parameters<typeof deviceOf>[2] = {},
  wire?: Wire,
  context: Parameters<typeof contextOf>[1] = {},
) {
  const link = loopback(deviceOf([], access(part), device), wire);
  const outcome = await openSession(contextOf(link, { profile: profileOf({ access: access(part) }), ...context })).then(
    () => "opened" as const,
    (error: unknown) => error,
  );
  return { link, outcome };
}
const failure = (reason: string, code: string, retry?: string) =>
  expect.objectContaining({ reason, code, ...(retry && { retry }) });
/** Changes the APDU of the `at`-th frame that the meter sends. */
const changing =
  (at: number, change: (apdu: Uint8Array) => Uint8Array): Wire =>
  (frame, count) => {
    if (count !== at) return [frame];
    const pdu = decode(Wrapper, frame);
    return [wrap(pdu.sourceWPort, pdu.destinationWPort, change(pdu.apdu))];
  };

describe("opening a session", () => {
  it.each<readonly [string, Part, number]>([
    ["without security", { authentication: "none", ciphering: "none", clientSap: 16 }, 1],
    ["by a password", { authentication: "lls", ciphering: "none" }, 1],
    ["by HLS-GMAC, ciphered service by service", {}, 2],
    ["by HLS-GMAC, in general ciphering", { ciphering: "general" }, 2],
    ["by HLS-GMAC in clear", { ciphering: "none" }, 2],
  ])("%s", async (_, part, requests) => {
    const { link, outcome } = await opened(part);
    expect(outcome).toBe("opened");
    expect(link.sent).toHaveLength(requests);
  });

  it("draws a counter for the initiate, for the proof and for the action that carries it, and no other", async () => {
    const drawn: number[] = [];
    const counters = { next: () => drawn.push(drawn.length + 7) + 6 };
    const { outcome } = await opened({}, {}, undefined, { counters });
    expect(outcome).toBe("opened");
    expect(drawn).toEqual([7, 8, 9]);
  });

  it("reports each frame as on the wire", async () => {
    const frames: [string, Uint8Array][] = [];
    const { link } = await opened({}, {}, undefined, {
      onFrame: (direction, octets) => frames.push([direction, octets.slice()]),
    });
    expect(frames).toEqual([
      ["sent", link.sent[0]],
      ["received", link.answered[0]],
      ["sent", link.sent[1]],
      ["received", link.answered[1]],
    ]);
  });
});

describe("an association is refused", () => {
  it("when the meter holds another encryption key", async () => {
    const { outcome } = await opened({}, { keys: { unicast: "00".repeat(16) } });
    expect(outcome).toEqual(failure("auth", "dlms.association-rejected", "never"));
  });
  it("when the password is another", async () => {
    const { outcome } = await opened({ authentication: "lls", ciphering: "none" }, { keys: { llsSecret: "ff" } });
    expect(outcome).toEqual(failure("auth", "dlms.association-rejected", "never"));
  });
  it("when the meter has another title than enrolled", async () => {
    const { link, outcome } = await opened({}, { systemTitle: fromHex("4852530001000002") });
    expect(outcome).toEqual(failure("auth", "dlms.wrong-title", "never"));
    expect(link.sent).toHaveLength(1);
  });
  it("when the meter sends our challenge back", async () => {
    const { link, outcome } = await opened({}, { tampering: { challenge: (_, ofClient) => ofClient } });
    expect(outcome).toEqual(failure("auth", "dlms.echoed-challenge", "never"));
    expect(link.sent).toHaveLength(1);
  });
  it("when the meter's proof does not verify, and nothing more is sent", async () => {
    const { link, outcome } = await opened({}, { tampering: { proof: (own) => own.map((octet) => octet ^ 1) } });
    expect(outcome).toEqual(failure("auth", "dlms.bad-proof", "never"));
    expect(link.sent).toHaveLength(2);
  });
  it("when the proof is cut short", async () => {
    const { outcome } = await opened({}, { tampering: { proof: (own) => own.subarray(0, 16) } });
    expect(outcome).toEqual(failure("auth", "dlms.bad-proof"));
  });
  it("when a challenge is too short", async () => {
    const { outcome } = await opened({}, { tampering: { challenge: (own) => own.subarray(0, 7) } });
    expect(outcome).toEqual(failure("auth", "dlms.bad-challenge"));
  });
  it("when our counter is behind the meter's, and the meter says which it expects", async () => {
    const { outcome } = await opened({}, { lastAccepted: 3_900_000_000 });
    expect(outcome).toEqual(failure("auth", "dlms.counter-refused", "later"));
    expect(outcome).toMatchObject({ detail: { expectedCounter: 3_900_000_001 } });
  });
  it("when an octet of the ciphered initiate is changed", async () => {
    const wire = changing(1, (apdu) => {
      const aare = decode(Aare, apdu);
      const userInformation = (aare.userInformation as Uint8Array).slice();
      userInformation[userInformation.length - 1] = (userInformation.at(-1) as number) ^ 1;
      return encode(Aare, { ...aare, userInformation });
    });
    expect((await opened({}, {}, wire)).outcome).toEqual(failure("auth", "dlms.bad-tag"));
  });
  it("when the initiate comes in clear", async () => {
    const wire = changing(1, (apdu) =>
      encode(Aare, { ...decode(Aare, apdu), userInformation: fromHex("0800065F1F0400001E1D02000007") }),
    );
    expect((await opened({}, {}, wire)).outcome).toEqual(failure("auth", "dlms.clear-answer"));
  });
  it("when the answer to our proof comes in clear", async () => {
    const wire = changing(2, () => fromHex("C701C100010009110102030405060708090a0b0c0d0e0f1011"));
    expect((await opened({}, {}, wire)).outcome).toEqual(failure("auth", "dlms.clear-answer"));
  });
  it("when the second answer is a replay of an older counter", async () => {
    const counters = countersFrom(undefined);
    counters.own.next = 1;
    let first: Uint8Array | undefined;
    const wire: Wire = (frame, count) => {
      if (count !== 2) return [frame];
      const keys = {
        encryption: nodeCrypto.secretKey(fromHex(KEYS.unicast)),
        authentication: fromHex(KEYS.authentication),
      };
      const dress = { form: "service-specific", scope: "global", securityControl: 0x30 } as const;
      first = protectApdu(
        nodeCrypto,
        keys,
        dress,
        { systemTitle: METER_TITLE, invocationCounter: 0 },
        fromHex("c701c10000"),
      );
      return [wrap(1, 1, first)];
    };
    const { outcome } = await opened({}, {}, wire);
    expect(outcome).toEqual(failure("auth", "dlms.stale-counter"));
    expect(first).toBeDefined();
  });
  it("when the keys are not there, before anything is sent", async () => {
    const { link, outcome } = await opened({}, {}, undefined, { keys: undefined });
    expect(outcome).toEqual(failure("auth", "dlms.keys-missing"));
    expect(link.sent).toHaveLength(0);
  });
  it("when the meter answers an exception in clear, which proves nothing", async () => {
    const exception = { stateError: 1, serviceError: 1, invocationCounterError: undefined };
    const wire = changing(2, () => encode(ExceptionResponse, exception));
    expect((await opened({}, {}, wire)).outcome).toEqual(failure("protocol", "dlms.exception-response", "later"));
  });
  it("when it stays silent, or closes after it has answered once", async () => {
    expect((await opened({}, {}, () => [])).outcome).toEqual(failure("timeout", "dlms.no-answer", "later"));
    const later: Wire = (frame, count) => (count === 1 ? [frame] : "close");
    expect((await opened({}, {}, later)).outcome).toEqual(failure("interrupted", "dlms.connection-closed", "later"));
  });
  it("as a link's failure when it closes before it has said anything", async () => {
    expect((await opened({}, {}, () => "close")).outcome).toMatchObject({ name: "LinkError", code: "link.closed" });
  });
  it("when the answer is no DLMS at all", async () => {
    const { outcome } = await opened({}, {}, () => [fromHex("485454502f312e31")]);
    expect(outcome).toEqual(failure("protocol", "dlms.malformed-answer", "later"));
    expect(
      (
        await opened(
          {},
          {},
          changing(1, (apdu) => concat(apdu, Uint8Array.of(0))),
        )
      ).outcome,
    ).toEqual(failure("protocol", "dlms.malformed-answer"));
  });
  it("never with a key in the error", async () => {
    const errors = await Promise.all([
      opened({}, { keys: { unicast: "00".repeat(16) } }),
      opened({}, { tampering: { proof: (own) => own.subarray(1) } }),
      opened({ authentication: "lls", ciphering: "none" }, { keys: { llsSecret: "ff" } }),
    ]);
    for (const { outcome } of errors)
      for (const key of Object.values(KEYS)) expect(JSON.stringify(outcome) + String(outcome)).not.toContain(key);
    expect(CLIENT_TITLE).toHaveLength(8);
  });
});
