import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeApdu } from "../../functions/decode/main.ts";
import { NO_ELEMENTS } from "../../shared/c1222/a-context.ts";
import { type EpsemControl, epsemControl, writePayload } from "../../shared/c1222/epsem.ts";
import { RESPONSE_CODES } from "../../shared/c1222/response-code.ts";
import { eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import { clearApdu, type Envelope, securedApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { encodeRequest, type Request, SERVICE_NAMES } from "../../shared/c1222/services/request.ts";
import { encodeResponse, okResponse, type Response, refusal } from "../../shared/c1222/services/response.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { C1222, standingClock } from "./two-protocols.ts";

const KEY_ID = 1;
const NOW = Date.parse("2026-11-10T09:07:13Z");
const ROOT = "2.16.124.113620.1.22.0";

/** What the dissector shows of one APDU, by field; services of one APDU are joined. */
interface Seen {
  readonly [field: string]: readonly string[];
}

/** A capture file (libpcap, raw IPv4) of UDP datagrams from port 1153 to port 1153. */
function capture(apdus: readonly Uint8Array[]): Uint8Array {
  const file: number[] = [];
  const little = (value: number) => file.push(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
  const big = (value: number): number[] => [value >>> 8, value & 0xff];
  little(0xa1b2c3d4 | 0);
  file.push(2, 0, 4, 0);
  for (const value of [0, 0, 0x40000, 101]) little(value);
  apdus.forEach((apdu, index) => {
    const total = 28 + apdu.length;
    const ip = [0x45, 0, ...big(total), ...big(index), 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2];
    const packet = [...ip, ...big(1153), ...big(1153), ...big(8 + apdu.length), 0, 0, ...apdu];
    for (const value of [index, 0, packet.length, packet.length]) little(value);
    file.push(...packet);
  });
  return Uint8Array.from(file);
}

const FIELDS = [
  "c1222.called_AP_invocation_id",
  "c1222.calling_AP_invocation_id",
  "c1222.key_id_element",
  "c1222.iv_element",
  "c1222.crypto_good",
  "c1222.crypto_bad",
  "c1222.epsem.flags.security",
  "c1222.epsem.flags.response_control",
  "c1222.epsem.edclass",
  "c1222.cmd",
  "c1222.err",
  "c1222.read.table",
  "c1222.read.offset",
  "c1222.write.table",
  "c1222.write.data",
  "c1222.procedure.num",
  "c1222.read.count",
  "c1222.write.offset",
  "c1222.logon.id",
  "c1222.wait.seconds",
  "c1222.called_ap_title_rel",
  "c1222.calling_ap_title_rel",
  "c1222.called_ap_title_abs",
  "c1222.calling_ap_title_abs",
  "c1222.calling_AE_qualifier",
  "c1222.mechanism_name",
  "c1222.aSO_context",
  "c1222.epsem.flags.reserved",
  "c1222.epsem.flags.recovery",
  "c1222.epsem.flags.proxy",
  "c1222.epsem.flags.ed_class",
  "c1222.write.size",
  "c1222.write.chksum",
  "c1222.write.chksum.status",
  "c1222.procedure.mfg",
  "c1222.procedure.sequence",
  "c1222.logon.user",
  "c1222.security.password",
] as const;

function dissected(apdus: readonly Uint8Array[], key: string): readonly Seen[] {
  const folder = mkdtempSync(join(tmpdir(), "headrace-c1222-"));
  try {
    const file = join(folder, "apdus.pcap");
    writeFileSync(file, capture(apdus));
    const options = ["-o", "c1222.decrypt:TRUE", "-o", `c1222.baseoid:${ROOT}`];
    const uat = `uat:c1222_decryption_table:"${KEY_ID.toString(16).padStart(2, "0")}",${key}`;
    const { stdout, stderr, status } = spawnSync(
      "tshark",
      [
        "-r",
        file,
        ...options,
        "-o",
        uat,
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "occurrence=a",
        ...FIELDS.flatMap((field) => ["-e", field]),
      ],
      { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
    );
    expect(status, stderr).toBe(0);
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) =>
        Object.fromEntries(
          line
            .split("|")
            .map((text, at) => [FIELDS[at] ?? "", text === "" ? [] : text.replaceAll(/0x/g, "").split(",")]),
        ),
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Layer = Readonly<Record<string, unknown>>;
const key = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex("000102030405060708090a0b0c0d0e0f")));
const KEY_HEX = "000102030405060708090a0b0c0d0e0f";
const ours = (apdu: Uint8Array): readonly Layer[] =>
  (decodeApdu(toHex(apdu), [{ id: KEY_ID, key }]).object as { readonly layers: readonly Layer[] }).layers;
const hexNumbers = (texts: readonly string[] | undefined): readonly number[] =>
  (texts ?? []).map((text) => Number.parseInt(text, 16));
const hex = (texts: readonly string[] | undefined): string => (texts ?? []).join("").replaceAll(":", "");
const defined = (values: readonly unknown[]): readonly unknown[] => values.filter((value) => value !== undefined);

const isSet = (text: string | undefined): boolean => text === "1" || text === "True";
const isGood = (text: string): boolean => text === "1" || text === "Good";
const textOf = (octets: unknown): string => Buffer.from(String(octets), "hex").toString("latin1");

/** Field by field: what the dissector saw is what our decoder prints. */
function agree(seen: Seen, layers: readonly Layer[]): void {
  const [outer = {}, epsem = {}, ...services] = layers;
  const authentication = outer.callingAuthenticationValue as { keyId: number; iv: number } | undefined;
  const requests = services.filter(({ name }) => name !== "response");
  expect(hex(seen["c1222.iv_element"])).toBe(authentication?.iv.toString(16).padStart(8, "0") ?? "");
  expect(hexNumbers(seen["c1222.key_id_element"])).toEqual(authentication === undefined ? [] : [authentication.keyId]);
  expect(seen["c1222.crypto_bad"]?.filter((flag) => flag !== "0")).toEqual([]);
  if (authentication !== undefined) {
    expect(seen["c1222.crypto_good"]).toEqual(["1"]);
    expect(epsem.verified).toBe(true);
  }
  expect(Number(seen["c1222.epsem.flags.security"]?.[0])).toBe(epsem.securityMode);
  expect(Number(seen["c1222.epsem.flags.response_control"]?.[0])).toBe(epsem.responseControl);
  expect(hex(seen["c1222.epsem.edclass"])).toBe(epsem.edClass ?? "");
  expect((seen["c1222.calling_AP_invocation_id"] ?? []).map(Number)).toEqual([outer.callingApInvocationId]);
  expect((seen["c1222.called_AP_invocation_id"] ?? []).map(Number)).toEqual(defined([outer.calledApInvocationId]));
  for (const [whose, title] of [
    ["called", outer.calledApTitle],
    ["calling", outer.callingApTitle],
  ] as const) {
    const [relative] = seen[`c1222.${whose}_ap_title_rel`] ?? [];
    expect(relative === undefined ? seen[`c1222.${whose}_ap_title_abs`]?.[0] : `${ROOT}${relative}`).toBe(title);
  }
  expect((seen["c1222.calling_AE_qualifier"] ?? []).map(Number)).toEqual(defined([outer.callingAeQualifier]));
  expect(seen["c1222.mechanism_name"]).toEqual(defined([outer.mechanismName]));
  expect(seen["c1222.aSO_context"]).toEqual(defined([outer.asoContext]));
  const flag = (name: string): boolean => isSet(seen[`c1222.epsem.flags.${name}`]?.[0]);
  expect([flag("reserved"), flag("recovery"), flag("proxy"), flag("ed_class")]).toEqual([
    true,
    epsem.recoverySession,
    epsem.proxyServiceUsed,
    epsem.edClassIncluded,
  ]);
  const answers = services.filter(({ name }) => name === "response");
  expect(hexNumbers(seen["c1222.cmd"])).toEqual(requests.map(({ code }) => code));
  expect(hexNumbers(seen["c1222.err"])).toEqual(answers.map(({ code }) => code));
  const named = requests.filter(({ name }) => !String(name).includes("Index"));
  const numbers = (name: string) => defined(named.map((service) => service[name]));
  expect((seen["c1222.wait.seconds"] ?? []).map(Number)).toEqual(numbers("seconds"));
  expect((seen["c1222.read.count"] ?? []).map(Number)).toEqual(numbers("octetCount"));
  const logons = requests.filter(({ name }) => name === "logon");
  expect((seen["c1222.logon.id"] ?? []).map(Number)).toEqual(numbers("userId"));
  expect(seen["c1222.logon.user"]).toEqual(logons.map(({ user }) => textOf(user)));
  const passwords = requests.flatMap(({ password }) => (password === undefined ? [] : [textOf(password)]));
  expect(seen["c1222.security.password"]).toEqual(passwords);
  expect(hexNumbers(seen["c1222.procedure.num"])).toEqual(
    defined(requests.map(({ procedure }) => (procedure as { number?: number } | undefined)?.number)),
  );
  const procedures = requests.flatMap(({ procedure }): Layer[] =>
    procedure === undefined ? [] : [procedure as Layer],
  );
  expect((seen["c1222.procedure.mfg"] ?? []).map(isSet)).toEqual(procedures.map(({ manufacturer }) => manufacturer));
  expect((seen["c1222.procedure.sequence"] ?? []).map(Number)).toEqual(procedures.map(({ sequence }) => sequence));
  const written = named.filter(({ data }) => data !== undefined);
  expect((seen["c1222.write.size"] ?? []).map(Number)).toEqual(written.map(({ data }) => String(data).length / 2));
  expect(hexNumbers(seen["c1222.write.chksum"])).toEqual(written.map(({ checksum }) => checksum));
  expect((seen["c1222.write.chksum.status"] ?? []).every(isGood)).toBe(true);
  // What is a procedure's the dissector takes apart.
  const plain = written.filter(({ procedure }) => procedure === undefined);
  if (procedures.length === 0) expect(hex(seen["c1222.write.data"])).toBe(plain.map(({ data }) => data).join(""));
  const byOffset = (name: string) =>
    defined(named.filter((service) => String(service.name).startsWith(name)).map(({ offset }) => offset));
  expect(hexNumbers(seen["c1222.read.offset"])).toEqual(byOffset("partialRead"));
  expect(hexNumbers(seen["c1222.write.offset"])).toEqual(byOffset("partialWrite"));
  const tables = (kind: "Read" | "Write") =>
    named
      .filter(({ tableId }) => tableId !== undefined)
      .filter(({ name }) => String(name).endsWith(kind) || String(name).includes(`${kind}Offset`))
      .map(({ tableId }) => tableId);
  expect(hexNumbers(seen["c1222.read.table"])).toEqual(tables("Read"));
  expect(hexNumbers(seen["c1222.write.table"])).toEqual(tables("Write"));
}

const REGISTRATION: Request = {
  service: "register",
  nodeType: 0x20,
  connectionType: 0x70,
  deviceClass: fromHex("48525331"),
  apTitle: ".23.273",
  electronicSerialNumber: "2.16.124.113620.1.22.0.99.1",
  nativeAddress: fromHex("c0000201"),
  registrationPeriod: 3600,
  myDomainPattern: undefined,
};

const REQUESTS: readonly (readonly Request[])[] = [
  [{ service: "identification" }],
  [{ service: "fullRead", tableId: 0 }],
  [
    { service: "fullRead", tableId: 23 },
    { service: "fullRead", tableId: 0x0805 },
  ],
  [{ service: "partialReadOffset", tableId: 64, offset: 1056, octetCount: 1056 }],
  [{ service: "fullWrite", tableId: 6, data: fromHex("414243") }],
  [{ service: "partialWriteOffset", tableId: 6, offset: 20, data: fromHex("58595a") }],
  [
    { service: "fullWrite", tableId: 7, data: fromHex("09002101") },
    { service: "fullRead", tableId: 8 },
  ],
  [{ service: "logon", userId: 2, user: fromHex("48454144524143452020"), idleTimeout: 60 }],
  [
    { service: "security", password: new Uint8Array(20).fill(0x41), userId: 2 },
    { service: "fullRead", tableId: 1 },
  ],
  [{ service: "wait", seconds: 30 }],
  [{ service: "logoff" }],
  [{ service: "terminate" }],
  [{ service: "disconnect" }],
  [{ service: "resolve", apTitle: ".23.273" }],
  [{ service: "trace", apTitle: "2.16.124.113620.1.22.0.23.273" }],
  [{ service: "deregister", apTitle: ".23.1" }],
  [REGISTRATION],
  [{ service: "defaultRead" }],
  [{ service: "defaultWrite", octets: fromHex("00034142433a") }],
  [{ service: "partialReadIndex", tableId: 23, index: [1, 0], elementCount: 2 }],
  [{ service: "partialWriteIndex", tableId: 6, index: [3], data: fromHex("41") }],
  [{ service: "authenticate", octets: fromHex("020102") }],
  [{ service: "timingSetup", octets: fromHex("0a040502") }],
  [{ service: "negotiate", code: 0x60, octets: fromHex("004002") }],
];

/** An answer to each service, and each way to refuse. */
const RESPONSES: readonly (readonly Response[])[] = [
  [okResponse()],
  [okResponse({ kind: "data", data: fromHex("00010203") })],
  [okResponse({ kind: "data", data: new Uint8Array(300).fill(7) }), okResponse(), refusal(5)],
  [
    okResponse({
      kind: "identification",
      standard: 3,
      version: 1,
      revision: 0,
      features: [
        { feature: "securityMechanism", mechanism: "2.16.124.113620.1.22.2.1" },
        { feature: "sessionControl", sessions: 1, sessionless: true },
      ],
    }),
  ],
  [okResponse({ kind: "logon", idleTimeout: 60 })],
  [okResponse({ kind: "resolve", nativeAddress: fromHex("c0000201") })],
  [okResponse({ kind: "trace", apTitles: [".1", ".23.273"] })],
  [
    okResponse({
      kind: "register",
      register: { apTitle: ".23.273", registrationDelay: 5, registrationPeriod: 3600, registrationInfo: 1 },
    }),
  ],
  [{ ...refusal(15), maximumSize: 512 }],
  [{ ...refusal(16), maximumSize: 512 }],
  ...Object.keys(RESPONSE_CODES)
    .filter((code) => code !== "15" && code !== "16")
    .map((code) => [refusal(Number(code))]),
];

/** What stands around services in turn, so that every element and every bit of the control comes with each mode. */
const AROUND: readonly (readonly [Partial<Envelope>, Partial<EpsemControl>])[] = [
  [{}, {}],
  [
    { calledApTitle: `${ROOT}.23.1`, callingApTitle: "1.3.6.1.4.1.33507.1919.0", callingAeQualifier: Uint8Array.of(7) },
    { responseControl: 1 },
  ],
  [
    {
      asoContext: "2.16.124.113620.1.22",
      calledApTitle: `${ROOT}.23.1`,
      callingApTitle: `${ROOT}.1.1`,
      mechanismName: "2.16.124.113620.1.22.2.1",
    },
    { responseControl: 2 },
  ],
  [{ callingApInvocationId: Uint8Array.of(0x12, 0x34, 0x56, 0x78) }, { recoverySession: true }],
  [{ callingApInvocationId: Uint8Array.of(0x12, 0x34) }, { proxyServiceUsed: true }],
];

/** An APDU of services; `answers`: the invocation id of the request that they answer. */
function apduOf(services: readonly Uint8Array[], securityMode: 0 | 1 | 2, id: number, answers?: number): Uint8Array {
  const edClass = answers === undefined && id % 2 === 0 ? fromHex("54454d50") : undefined;
  const [elements, bits] = AROUND[id % AROUND.length] ?? [{}, {}];
  const envelope = {
    ...NO_ELEMENTS,
    calledApTitle: ".23.1",
    ...(answers !== undefined && { calledApInvocationId: Uint8Array.of(answers) }),
    callingApTitle: ".1.1",
    callingApInvocationId: Uint8Array.of(id),
    ...elements,
  };
  const control = epsemControl({ ...bits, securityMode, edClassIncluded: edClass !== undefined });
  const payload = writePayload({ edClass, services });
  return securityMode === 0
    ? clearApdu(envelope, control, payload)
    : securedApdu(key, { keyId: KEY_ID, iv: 1_700_000_000 + id }, envelope, control, payload);
}

describe("the dissector of tshark agrees with our decoder, field by field", () => {
  it.each([0, 1, 2] as const)("requests in security mode %i", (mode) => {
    const apdus = REQUESTS.map((requests, index) => apduOf(requests.map(encodeRequest), mode, index + 1));
    const seen = dissected(apdus, KEY_HEX);
    expect(seen).toHaveLength(apdus.length);
    for (const [index, apdu] of apdus.entries()) agree(seen[index] ?? {}, ours(apdu));
  });

  it.each([0, 1, 2] as const)("answers in security mode %i", (mode) => {
    const apdus = RESPONSES.map((responses, index) =>
      apduOf(responses.map(encodeResponse), mode, index + 1, 100 + index),
    );
    const seen = dissected(apdus, KEY_HEX);
    expect(seen).toHaveLength(apdus.length);
    for (const [index, apdu] of apdus.entries()) agree(seen[index] ?? {}, ours(apdu));
  });

  it("the corpus holds every service that there is", () => {
    const asked = new Set(REQUESTS.flat().map(({ service }) => service));
    expect([...asked].sort()).toEqual([...SERVICE_NAMES].sort());
    const refused = new Set(RESPONSES.flat().map(({ code }) => code));
    expect(
      Object.keys(RESPONSE_CODES)
        .map(Number)
        .filter((code) => !refused.has(code)),
    ).toEqual([]);
  });

  it("a whole conversation with a simulated meter", async () => {
    const frames: Uint8Array[] = [];
    const session = await C1222.open({
      clock: standingClock(NOW),
      enrolledKey: KEY_HEX,
      heldKey: KEY_HEX,
      onFrame: (_, octets) => frames.push(octets.slice()),
    });
    await session.perform({
      kind: "readIntervals",
      range: { from: NOW - 86_400_000 - (NOW % 1000), to: NOW - (NOW % 1000) },
      registers: "total",
    });
    expect(frames.length).toBeGreaterThan(8);
    const seen = dissected(frames, KEY_HEX);
    for (const [index, apdu] of frames.entries()) agree(seen[index] ?? {}, ours(apdu));
  });
});
