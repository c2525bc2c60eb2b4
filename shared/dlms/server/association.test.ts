import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { encode } from "../../wire/codec.ts";
import { ACSE_SERVICE_USER } from "../aare.ts";
import { GetRequest } from "../get-request.ts";
import { Rlrq } from "../release.ts";
import { verifyGmac } from "../security/hls-gmac.ts";
import {
  CLIENT_TITLE,
  type Fixture,
  fixture,
  type Greeting,
  HandMadeClient,
  INVOKE,
  KEYS,
  keysOf,
  LONG,
  SAP,
  SERVER_TITLE,
  TEXT,
} from "./server-fixture.ts";

const getText = encode(GetRequest, {
  kind: "normal",
  invokeIdAndPriority: INVOKE,
  cosemAttributeDescriptor: TEXT,
  accessSelection: undefined,
});
const EMPTY = {
  name: "GetResponse",
  value: { kind: "normal", result: { kind: "data", data: { type: "octet-string" } } },
};
const exception = (stateError: number, serviceError: number, invocationCounterError?: number) => ({
  name: "ExceptionResponse",
  value: { stateError, serviceError, ...(invocationCounterError !== undefined && { invocationCounterError }) },
});
const secured = (made: Fixture, counter?: number): HandMadeClient =>
  new HandMadeClient(made.device, SAP.secured, counter);

describe("associating", () => {
  it("without security, at once", () => {
    const client = new HandMadeClient(fixture().device, SAP.open);
    expect(client.greet()).toMatchObject({
      result: 0,
      resultSourceDiagnostic: { value: 0 },
      applicationContextName: 1,
    });
    expect(client.clear(getText)).toMatchObject(EMPTY);
  });

  it("by a secret, at once", () => {
    const client = new HandMadeClient(fixture().device, SAP.secret);
    expect(client.greet()).toMatchObject({ result: 0, resultSourceDiagnostic: { value: 0 } });
    expect(client.clear(getText)).toMatchObject(EMPTY);
  });

  it.each(["service-specific", "general"] as const)("by HLS-GMAC in four passes, %s ciphering", (form) => {
    const { device, counters } = fixture();
    const client = new HandMadeClient(device, SAP.secured);
    client.form = form;
    const answer = client.associate();
    expect(answer).toMatchObject({ name: "ActionResponse", value: { singleResponse: { result: 0 } } });
    if (answer?.name !== "ActionResponse" || answer.value.kind !== "normal") throw new Error("no proof");
    const proof = answer.value.singleResponse.returnParameters;
    if (proof?.kind !== "data" || proof.data.type !== "octet-string") throw new Error("no proof");
    expect(verifyGmac(nodeCrypto, KEYS, SERVER_TITLE, client.challenge, proof.data.value)).toBe(1);
    expect(client.secured(getText)).toMatchObject(EMPTY);
    expect(client.lastAnswer[0]).toBe(form === "general" ? 0xdb : 0xcc);
    expect(counters.acceptedAll).toEqual([100, 102, 101, 103]); // initiate, ACTION, the proof in it, GET
  });

  it("by HLS-GMAC in a context without ciphering", () => {
    const client = new HandMadeClient(fixture().device, SAP.provingInClear);
    expect(client.associate()).toMatchObject({ value: { singleResponse: { result: 0 } } });
    expect(client.clear(getText)).toMatchObject(EMPTY);
  });

  const refusals: readonly { name: string; sap?: number; greeting: Greeting; why: keyof typeof ACSE_SERVICE_USER }[] = [
    { name: "a client SAP that it does not know", sap: 77, greeting: {}, why: "no-reason-given" },
    {
      name: "a ciphered context without a title",
      greeting: { aarq: { callingApTitle: undefined } },
      why: "calling-AP-title-not-recognized",
    },
    {
      name: "another client's title",
      greeting: { aarq: { callingApTitle: SERVER_TITLE } },
      why: "calling-AP-title-not-recognized",
    },
    {
      name: "a title of three octets",
      greeting: { aarq: { callingApTitle: CLIENT_TITLE.subarray(0, 3) } },
      why: "calling-AP-title-not-recognized",
    },
    {
      name: "a context without ciphering where ciphering is due",
      greeting: { aarq: { applicationContextName: 1 } },
      why: "application-context-name-not-supported",
    },
    {
      name: "short-name referencing",
      sap: SAP.open,
      greeting: { aarq: { applicationContextName: 2 } },
      why: "application-context-name-not-supported",
    },
    {
      name: "no mechanism where one is due",
      greeting: { aarq: { mechanismName: undefined } },
      why: "authentication-mechanism-name-required",
    },
    {
      name: "a weaker mechanism",
      greeting: { aarq: { mechanismName: 1 } },
      why: "authentication-mechanism-name-not-recognised",
    },
    {
      name: "a mechanism where none is due",
      sap: SAP.open,
      greeting: { aarq: { mechanismName: 5, senderAcseRequirements: true } },
      why: "authentication-mechanism-name-not-recognised",
    },
    {
      name: "a short challenge",
      greeting: { aarq: { callingAuthenticationValue: new Uint8Array(7) } },
      why: "authentication-failure",
    },
    {
      name: "a wrong secret",
      sap: SAP.secret,
      greeting: { aarq: { callingAuthenticationValue: new Uint8Array(8) } },
      why: "authentication-failure",
    },
    {
      name: "an InitiateRequest that is missing",
      greeting: { aarq: { userInformation: undefined } },
      why: "no-reason-given",
    },
    {
      name: "an InitiateRequest in clear where ciphering is due",
      greeting: { aarq: { userInformation: Uint8Array.of(1, 0, 0, 0, 6, 0x5f, 0x1f, 4, 0, 0, 0x7e, 0x1f, 4, 0xb0) } },
      why: "authentication-failure",
    },
    { name: "an older DLMS version", greeting: { initiate: { proposedDlmsVersionNumber: 5 } }, why: "no-reason-given" },
    { name: "no common service", greeting: { services: ["read", "write"] }, why: "no-reason-given" },
    {
      name: "PDUs too small to carry a block",
      greeting: { initiate: { clientMaxReceivePduSize: 40 } },
      why: "no-reason-given",
    },
  ];
  it.each(refusals)("refuses $name", ({ sap = SAP.secured, greeting, why }) => {
    const client = new HandMadeClient(fixture().device, sap);
    expect(client.greet(greeting)).toMatchObject({
      result: 1,
      resultSourceDiagnostic: { value: ACSE_SERVICE_USER[why] },
    });
    if (sap === 77) expect(client.raw(getText)).toBeUndefined();
    else expect(client.clear(getText)).toMatchObject(exception(1, 1));
  });

  it("refuses an InitiateRequest under another key, and does not move its counter", () => {
    const made = fixture();
    const client = secured(made);
    client.keys = keysOf(0x55);
    expect(client.greet()).toMatchObject({ result: 1, resultSourceDiagnostic: { value: 13 } });
    expect(made.counters.lastAccepted()).toBeUndefined();
  });
});

describe("proving", () => {
  it("ends the association on a proof of another challenge", () => {
    const made = fixture();
    const client = secured(made);
    client.greet();
    const answer = client.secured(client.replyToHls(client.proof(new Uint8Array(16))));
    expect(answer).toMatchObject({ name: "ActionResponse", value: { singleResponse: { result: 3 } } });
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 1));
  });

  it("serves nothing between pass 2 and pass 4", () => {
    const client = secured(fixture());
    client.greet();
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 1));
  });

  it("takes a proof once only", () => {
    const client = secured(fixture());
    const aare = client.greet();
    const proof = client.proof(aare.respondingAuthenticationValue ?? new Uint8Array(0));
    expect(client.secured(client.replyToHls(proof))).toMatchObject({ value: { singleResponse: { result: 0 } } });
    expect(client.secured(client.replyToHls(proof))).toMatchObject({ value: { singleResponse: { result: 3 } } });
    expect(client.secured(getText)).toMatchObject(EMPTY);
  });

  it("refuses a proof whose counter was used before", () => {
    const made = fixture();
    const client = secured(made);
    const aare = client.greet();
    client.counter = 100; // that of the InitiateRequest
    const proof = client.proof(aare.respondingAuthenticationValue ?? new Uint8Array(0));
    expect(client.secured(client.replyToHls(proof))).toMatchObject({ value: { singleResponse: { result: 3 } } });
    expect(made.counters.refusedAll).toEqual([100]);
  });

  it("takes a proof that shares its counter with the request around it, as some peers have it, and notes it twice", () => {
    const made = fixture();
    const client = secured(made);
    const aare = client.greet();
    const proof = client.proof(aare.respondingAuthenticationValue ?? new Uint8Array(0));
    client.counter -= 1;
    expect(client.secured(client.replyToHls(proof))).toMatchObject({ value: { singleResponse: { result: 0 } } });
    expect(made.counters.acceptedAll).toEqual([100, 101, 101]);
  });

  it("never sends one challenge twice", () => {
    const client = secured(fixture());
    const challenges = new Set(Array.from({ length: 20 }, () => String(client.greet().respondingAuthenticationValue)));
    expect(challenges.size).toBe(20);
  });
});

describe("a secured association", () => {
  const associated = (made = fixture()): { client: HandMadeClient; made: Fixture } => {
    const client = secured(made);
    client.associate();
    return { client, made };
  };

  it("refuses a wrong tag and does not move its counter", () => {
    const { client, made } = associated();
    const before = made.counters.lastAccepted();
    const request = client.protect(getText);
    request[request.length - 1] = (request[request.length - 1] ?? 0) ^ 1;
    expect(client.clear(request)).toMatchObject(exception(1, 5));
    expect(made.counters.lastAccepted()).toBe(before);
    client.counter -= 1; // it was never taken, so it may still be used
    expect(client.secured(getText)).toMatchObject(EMPTY);
  });

  it("refuses a replayed request, and says which counter it takes", () => {
    const { client, made } = associated();
    const request = client.protect(getText);
    expect(client.raw(request)?.[0]).toBe(0xcc);
    expect(client.clear(request)).toMatchObject(exception(1, 6, 104));
    expect(made.counters.refusedAll).toEqual([103]);
  });

  it("refuses a lower counter, also on another connection", () => {
    const made = fixture({ lastAccepted: 500 });
    expect(secured(made, 500).clear(secured(made, 500).aarq())).toMatchObject(exception(1, 6, 501));
    const client = secured(made, 501);
    expect(client.associate()).toMatchObject({ value: { singleResponse: { result: 0 } } });
    const other = secured(made, 400);
    expect(other.clear(other.aarq())).toMatchObject(exception(1, 6, 504));
  });

  it.each([
    ["authentication only", 0x10],
    ["encryption only", 0x20],
    ["the broadcast key set", 0x70],
    ["another suite", 0x31],
  ])("refuses %s", (_, control) => {
    const { client } = associated();
    client.securityControl = control;
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 5));
  });

  it("refuses a request in clear", () => {
    const { client } = associated();
    expect(client.clear(getText)).toMatchObject(exception(1, 1));
  });

  it("refuses another title in the general form", () => {
    const { client } = associated();
    client.form = "general";
    const request = client.protect(getText);
    request.set(SERVER_TITLE, 2); // the claim alone: the nonce is still made from the client's own
    expect(client.clear(request)).toMatchObject(exception(1, 5));
    client.title = SERVER_TITLE;
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 5));
  });

  it("refuses a tag that promises another service than the one inside", () => {
    const { client } = associated();
    const request = client.protect(getText);
    request[0] = 0xc9; // glo-set-request
    expect(client.clear(request)).toMatchObject(exception(1, 5));
  });

  it("ends with a release, ciphered or not, but not with a forged one", () => {
    const release = (userInformation?: Uint8Array) => encode(Rlrq, { reason: 0, userInformation });
    const { client } = associated();
    expect(client.clear(release(client.protect(getText).fill(0, 8)))).toMatchObject(exception(1, 5));
    expect(client.secured(getText)).toMatchObject(EMPTY);
    expect(client.clear(release()).name).toBe("RLRE");
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 1));
  });

  it("begins anew with a second AARQ", () => {
    const { client } = associated();
    client.greet();
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 1));
  });

  it("serves a dedicated key beside the global one, with counters of its own", () => {
    const dedicatedKey = new Uint8Array(16).fill(7);
    const made = fixture();
    const client = secured(made);
    client.associate({ initiate: { dedicatedKey } });
    client.scope = "dedicated";
    client.keys = { ...KEYS, encryption: nodeCrypto.secretKey(dedicatedKey) };
    client.serverKeys = client.keys;
    client.counter = 0;
    expect(client.secured(getText)).toMatchObject(EMPTY);
    expect(client.lastAnswer[0]).toBe(0xd4);
    client.counter = 0;
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 6, 1));
    expect(made.counters.acceptedAll).toEqual([100, 102, 101]);
  });

  it("refuses a dedicated key that was sent in clear, and one that was never agreed", () => {
    const open = new HandMadeClient(fixture().device, SAP.open);
    expect(open.greet({ initiate: { dedicatedKey: new Uint8Array(16) } })).toMatchObject({ result: 1 });
    const { client } = associated();
    client.scope = "dedicated";
    expect(client.clear(client.protect(getText))).toMatchObject(exception(1, 5));
  });
});

describe("what was not negotiated", () => {
  it.each([
    ["get", getText, ["set", "action"]],
    [
      "multiple-references",
      encode(GetRequest, {
        kind: "withList",
        invokeIdAndPriority: INVOKE,
        attributeDescriptorList: [{ cosemAttributeDescriptor: LONG, accessSelection: undefined }],
      }),
      ["get"],
    ],
    ["block transfer", encode(GetRequest, { kind: "next", invokeIdAndPriority: INVOKE, blockNumber: 1 }), ["get"]],
  ] as const)("refuses %s", (_, request, services) => {
    const client = new HandMadeClient(fixture().device, SAP.open);
    client.greet({ services });
    expect(client.clear(request)).toMatchObject(exception(2, 2));
  });

  it("refuses a selection, by a result of its own", () => {
    const client = new HandMadeClient(fixture().device, SAP.open);
    client.greet({ services: ["get"] });
    const request = encode(GetRequest, {
      kind: "normal",
      invokeIdAndPriority: INVOKE,
      cosemAttributeDescriptor: LONG,
      accessSelection: { accessSelector: 1, accessParameters: { type: "null-data", value: null } },
    });
    expect(client.clear(request)).toMatchObject({
      value: { result: { kind: "dataAccessResult", dataAccessResult: 13 } },
    });
  });

  it("refuses what is no request of a client", () => {
    const client = new HandMadeClient(fixture().device, SAP.open);
    client.greet();
    expect(client.clear(Uint8Array.of(0xd9, 0, 0, 0, 0, 0, 0, 0))).toMatchObject(exception(2, 2));
    expect(client.clear(Uint8Array.of(0xc0, 9))).toMatchObject(exception(1, 3));
    expect(client.clear(new Uint8Array(257).fill(0xc0))).toMatchObject(exception(1, 4));
  });
});
