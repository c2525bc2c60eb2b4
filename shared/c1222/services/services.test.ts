import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex } from "../../ports/octets.ts";
import { WireError } from "../../wire/wire-error.ts";
import { RESPONSE_CODES, responseCode } from "../response-code.ts";
import { decodeRequest, encodeRequest, type Request, SERVICE_NAMES, type ServiceName } from "./request.ts";
import { decodeResponse, encodeResponse, identified, okResponse, type Response, refusal } from "./response.ts";
import { FULL_BLOCK } from "./table-data.ts";

const REGISTRATION = {
  service: "register",
  nodeType: 0x20,
  connectionType: 0x70,
  deviceClass: fromHex("48525331"),
  apTitle: ".23.273",
  electronicSerialNumber: "2.16.124.113620.1.22.0.99.1",
  nativeAddress: fromHex("c0000201048111"),
  registrationPeriod: 3600,
  myDomainPattern: undefined,
} as const satisfies Request;
const table = { tableId: 0x0805 };
const data = fromHex("414243");

/** Requests with what is as long as it likes at their end: a shorter one is another request. */
const OPEN_ENDED: readonly ServiceName[] = ["security", "negotiate", "authenticate", "timingSetup", "defaultWrite"];
const REQUESTS: readonly (readonly [hex: string, Request])[] = [
  ["20", { service: "identification" }],
  ["21", { service: "terminate" }],
  ["22", { service: "disconnect" }],
  ["248003178211", { service: "deregister", apTitle: ".23.273" }],
  ["258003178211", { service: "resolve", apTitle: ".23.273" }],
  ["26060b607c86f754011600178211", { service: "trace", apTitle: "2.16.124.113620.1.22.0.23.273" }],
  ["272070485253318003178211060a607c86f7540116006301" + "07c0000201048111" + "000e10", REGISTRATION],
  [
    "27a070485253318003178211060a607c86f7540116006301" + "07c0000201048111" + "000e10" + "02172a",
    { ...REGISTRATION, nodeType: 0xa0, myDomainPattern: fromHex("172a") },
  ],
  ["300805", { service: "fullRead", ...table }],
  ["310805" + "0003" + "0002", { service: "partialReadIndex", ...table, index: [3], elementCount: 2 }],
  [
    `390805${"0001".repeat(9)}0000`,
    { service: "partialReadIndex", ...table, index: [1, 1, 1, 1, 1, 1, 1, 1, 1], elementCount: 0 },
  ],
  ["3e", { service: "defaultRead" }],
  ["3f0805" + "010203" + "0020", { service: "partialReadOffset", ...table, offset: 0x010203, octetCount: 32 }],
  ["400805" + "0003" + "414243" + "3a", { service: "fullWrite", ...table, data }],
  ["420805" + "00030001" + "0003" + "414243" + "3a", { service: "partialWriteIndex", ...table, index: [3, 1], data }],
  ["4e00034142433a", { service: "defaultWrite", octets: fromHex("00034142433a") }],
  ["4f0805" + "000014" + "0003" + "414243" + "3a", { service: "partialWriteOffset", ...table, offset: 20, data }],
  [
    "50" + "0002" + "48454144524143452020" + "003c",
    { service: "logon", userId: 2, user: fromHex("48454144524143452020"), idleTimeout: 60 },
  ],
  [`51${"41".repeat(20)}`, { service: "security", password: new Uint8Array(20).fill(0x41), userId: undefined }],
  [`51${"41".repeat(20)}0002`, { service: "security", password: new Uint8Array(20).fill(0x41), userId: 2 }],
  ["52", { service: "logoff" }],
  ["53020102", { service: "authenticate", octets: fromHex("020102") }],
  ["60004002", { service: "negotiate", code: 0x60, octets: fromHex("004002") }],
  ["6b0040020102", { service: "negotiate", code: 0x6b, octets: fromHex("0040020102") }],
  ["701e", { service: "wait", seconds: 30 }],
  ["710a040502", { service: "timingSetup", octets: fromHex("0a040502") }],
];

describe("requests", () => {
  it.each(REQUESTS)("%s goes both ways, and is refused when it is cut or has more", (hex, request) => {
    const octets = fromHex(hex);
    expect(toHex(encodeRequest(request))).toBe(hex);
    expect(decodeRequest(octets)).toEqual(request);
    if (OPEN_ENDED.includes(request.service)) return;
    for (let length = 0; length < octets.length; length++)
      expect(() => decodeRequest(octets.subarray(0, length)), `cut to ${length}`).toThrow(WireError);
    expect(() => decodeRequest(concat(octets, Uint8Array.of(0)))).toThrow(WireError);
  });
  it("are of every service", () =>
    expect(new Set(REQUESTS.map(([, { service }]) => service))).toEqual(new Set(SERVICE_NAMES)));
  it.each(["23", "3a0001", "4a0001", "54", "6c", "72", "00", `51${"41".repeat(21)}`])("%s is none", (hex) =>
    expect(() => decodeRequest(fromHex(hex))).toThrow(WireError),
  );
});

const long = new Uint8Array(FULL_BLOCK + 2).fill(1);
const REGISTERED = { apTitle: ".23.273", registrationDelay: 5, registrationPeriod: 3600, registrationInfo: 7 };
const ANSWERS: readonly (readonly [ServiceName, hex: string, Response])[] = [
  ["identification", "00" + "030100" + "0581" + "00", identified(1, true)],
  [
    "identification",
    "00" + "030100" + "040609607c86f75401160201" + "0680020801" + "07040131" + "3233" + "00",
    okResponse({
      kind: "identification",
      standard: 3,
      version: 1,
      revision: 0,
      features: [
        { feature: "securityMechanism", mechanism: "2.16.124.113620.1.22.2.1" },
        { feature: "deviceClass", deviceClass: ".8.1" },
        { feature: "deviceIdentity", format: 1, identification: fromHex("313233") },
      ],
    }),
  ],
  ["resolve", "0004c0000201", okResponse({ kind: "resolve", nativeAddress: fromHex("c0000201") })],
  ["trace", "00800101" + "8003178211", okResponse({ kind: "trace", apTitles: [".1", ".23.273"] })],
  ["register", "00" + "8003178211" + "0005" + "000e10" + "07", okResponse({ kind: "register", register: REGISTERED })],
  ["logon", "00003c", okResponse({ kind: "logon", idleTimeout: 60 })],
  ["fullRead", "000003" + "414243" + "3a", okResponse({ kind: "data", data })],
  ["partialReadIndex", "000003" + "414243" + "3a", okResponse({ kind: "data", data })],
  ["partialReadOffset", "000003" + "414243" + "3a", okResponse({ kind: "data", data })],
  ["defaultRead", "00000000", okResponse({ kind: "data", data: new Uint8Array(0) })],
  ["fullRead", `00ffff${"01".repeat(FULL_BLOCK)}0100020101fe`, okResponse({ kind: "data", data: long })],
  ["authenticate", "0002aabb", okResponse({ kind: "octets", octets: fromHex("02aabb") })],
  ["negotiate", "00004002", okResponse({ kind: "octets", octets: fromHex("004002") })],
  ["timingSetup", "000a040502", okResponse({ kind: "octets", octets: fromHex("0a040502") })],
  ...(
    ["fullWrite", "partialWriteIndex", "partialWriteOffset", "defaultWrite", "security", "logoff", "wait"] as const
  ).map((service) => [service, "00", okResponse()] as const),
  ...(["terminate", "disconnect", "deregister"] as const).map((service) => [service, "00", okResponse()] as const),
  ["fullRead", "0f00000200", { ...refusal(responseCode("rqtl")), maximumSize: 512 }],
  ["fullRead", "1000000200", { ...refusal(responseCode("rstl")), maximumSize: 512 }],
  ["trace", "0c800101", { ...refusal(responseCode("uat")), apTitles: [".1"] }],
  ["trace", "0f00000200800101", { ...refusal(responseCode("rqtl")), maximumSize: 512, apTitles: [".1"] }],
  ["fullRead", "12a302", { code: responseCode("sgerr"), body: { kind: "octets", octets: fromHex("a302") } }],
  ...Object.keys(RESPONSE_CODES).map(
    (code) => ["wait", Number(code).toString(16).padStart(2, "0"), refusal(Number(code))] as const,
  ),
];

describe("answers", () => {
  it.each(ANSWERS)("to %s, number %#, go both ways", (service, hex, response) => {
    const octets = fromHex(hex);
    expect(decodeResponse(service, octets)).toEqual(response);
    expect(toHex(encodeResponse(response))).toBe(hex);
  });
  it("are to every service", () =>
    expect(new Set(ANSWERS.flatMap(([service, , { code }]) => (code === 0 ? [service] : [])))).toEqual(
      new Set(SERVICE_NAMES),
    ));
  it.each(ANSWERS.filter(([, hex, { code, body }]) => code === 0 && body.kind !== "octets" && hex.length < 200))(
    "to %s, number %#, are refused when they are cut or have more",
    (service, hex, { body }) => {
      const octets = fromHex(hex);
      // A trace is as long as it likes, title by title.
      for (let length = 0; length < octets.length; length++)
        if (body.kind !== "trace" || (length !== 1 && length !== 4))
          expect(() => decodeResponse(service, octets.subarray(0, length)), `cut to ${length}`).toThrow(WireError);
      expect(() => decodeResponse(service, concat(octets, Uint8Array.of(0)))).toThrow(WireError);
    },
  );
  it("with a checksum that is wrong are refused, in each of their blocks", () => {
    for (const hex of ["0000034142433b", `00ffff${"01".repeat(FULL_BLOCK)}02000000`])
      expect(() => decodeResponse("fullRead", fromHex(hex))).toThrow(expect.objectContaining({ code: "wire.check" }));
  });
});
