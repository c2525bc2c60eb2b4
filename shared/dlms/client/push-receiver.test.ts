import { describe, expect, it } from "vitest";
import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex, toHex } from "../../ports/octets.ts";
import { seeded } from "../../ports/random.ts";
import { decode, encode } from "../../wire/codec.ts";
import type { Data } from "../data.ts";
import { DateTimeCodec, dateTimeAt } from "../date-time.ts";
import { GeneralGloCiphering } from "../security/ciphered-apdu.ts";
import type { Dress } from "../security/secured-apdu.ts";
import { bitsOfPolicy, policyOfBits } from "../security/security-policy.ts";
import { POINT_OCTETS, SUITES } from "../security/security-suite.ts";
import { AssociationTable } from "../server/association-table.ts";
import { type Notification, pushApdus } from "../server/push.ts";
import file from "../vectors/dlms-vectors.json" with { type: "json" };
import { access, CLIENT_TITLE, countersFrom, deviceOf, METER_TITLE, NOW, profileOf } from "./loopback-fixture.ts";
import { claimedTitle, confirmPush, PushAssembly, type PushedUnder, pushSource, receivePush } from "./push-receiver.ts";

type Access = DlmsProfile["dlms"]["access"];
const ENERGY = "1.0.1.8.0.255";
const time = encode(DateTimeCodec, dateTimeAt(NOW, -60));
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const structure = (...value: readonly Data[]): Data => ({ type: "structure", value });
const scalerUnit = (scaler: number, unit: number): Data =>
  structure({ type: "integer", value: scaler }, { type: "enum", value: unit });

const notification = (body: Data = structure(u32(5)), id = 0x4000_0007): Notification => ({
  name: "DataNotification",
  value: { longInvokeIdAndPriority: id, dateTime: time, notificationBody: body, taggedDateTime: false },
});
const event: Notification = {
  name: "EventNotificationRequest",
  value: {
    time,
    cosemAttributeDescriptor: { classId: 3, instanceId: ENERGY, attributeId: 2 },
    attributeValue: u32(9),
  },
};
const report: Notification = {
  name: "InformationReportRequest",
  value: {
    currentTime: time,
    unflaggedTime: false,
    variableAccessSpecification: [{ kind: "variableName", variableName: 0x0108 }],
    listOfData: [u32(11)],
  },
};

/** A meter and the source that the headend makes of the same enrolment. */
function meter(part: Partial<Access> = {}) {
  const wanted = access(part);
  const { keyOctets, curve } = SUITES[wanted.securitySuite];
  const filled = (length: number, fill: number) => toHex(new Uint8Array(length).fill(fill));
  const key = (fill: number) => {
    if (curve === undefined) return undefined;
    return nodeCrypto.privateKey(curve, new Uint8Array(POINT_OCTETS[curve] / 2).fill(fill));
  };
  const point = (fill: number) => {
    const found = key(fill);
    return found && nodeCrypto.publicKeyOf(found);
  };
  const size = curve === undefined ? 0 : POINT_OCTETS[curve] / 2;
  const keys = {
    unicast: filled(keyOctets, 1),
    authentication: filled(keyOctets, 2),
    ...(curve && {
      clientSigning: filled(size, 4),
      clientAgreement: filled(size, 5),
      meterSigning: toHex(point(6) ?? new Uint8Array()),
      meterAgreement: toHex(point(7) ?? new Uint8Array()),
    }),
  };
  const counters = countersFrom(undefined);
  const confirmed: number[] = [];
  const device = deviceOf([], wanted, {
    onConfirmed: (id) => confirmed.push(id),
    clients: new Map([
      [
        1,
        {
          securitySetup: undefined,
          objects: () => [],
          security: {
            mechanism: "hls-gmac",
            ciphered: true,
            clientSystemTitle: CLIENT_TITLE,
            keys: {
              encryption: nodeCrypto.secretKey(fromHex(keys.unicast)),
              authentication: fromHex(keys.authentication),
            },
            counters,
            suite: wanted.securitySuite,
            ...(wanted.securityPolicy !== undefined && { policy: policyOfBits(wanted.securityPolicy) }),
            ...(curve && {
              secrets: Object.fromEntries(
                Object.entries({
                  ownSigning: key(6),
                  ownAgreement: key(7),
                  peerSigning: point(4),
                  peerAgreement: point(5),
                }).filter(([, value]) => value !== undefined),
              ),
            }),
          },
        },
      ],
    ]),
  });
  const ports = { crypto: nodeCrypto, random: seeded("meter") };
  const profile = profileOf({
    access: wanted,
    registers: [{ measurement: "energy.active.import.total", classId: 3, obis: ENERGY, total: true, scaler: 0 }],
    baseNames: [{ classId: 3, version: 0, obis: ENERGY, baseName: 0x0100 }],
  });
  const titles = { systemTitle: toHex(METER_TITLE), clientSystemTitle: toHex(CLIENT_TITLE) };
  return {
    profile,
    source: pushSource(nodeCrypto, profile, keys, titles),
    confirmed,
    table: new AssociationTable(device, ports),
    push: (what: Notification, dress: Dress, blockApduMax?: number) =>
      pushApdus(device, ports, what, { clientSap: 1, dress, ...(blockApduMax !== undefined && { blockApduMax }) }),
  };
}
const never = () => undefined;
const draws = () => {
  let counter = 500;
  return {
    counter: () => ++counter,
    ephemeral: () => {
      throw new Error("no key is agreed here");
    },
  };
};
const first = (apdus: readonly Uint8Array[]): Uint8Array => apdus[0] ?? new Uint8Array();
const GLO: Dress = { form: "service-specific", scope: "global" };
const GENERAL: Dress = { form: "general", scope: "global" };
const SIGNED = bitsOfPolicy({
  request: { authenticated: true, encrypted: true, signed: true },
  response: { authenticated: true, encrypted: true, signed: true },
});
const SIGNED_ONLY = bitsOfPolicy({
  request: { authenticated: false, encrypted: false, signed: true },
  response: { authenticated: false, encrypted: false, signed: true },
});

describe("an unsolicited message", () => {
  it.each<readonly [string, Partial<Access>, Dress, Notification, PushedUnder["keySet"]]>([
    ["glo-event-notification", {}, GLO, event, "unicast"],
    ["glo-information-report", {}, GLO, report, "unicast"],
    ["general-glo data-notification", {}, GLO, notification(), "unicast"],
    ["general-glo event-notification", {}, GENERAL, event, "unicast"],
    ["general-ciphering, global key", {}, { form: "general-ciphering", scope: "global" }, notification(), "unicast"],
    [
      "general-ciphering, one-pass",
      { securitySuite: 1 },
      { form: "general-ciphering", scope: "global", key: "one-pass" },
      notification(),
      "agreed",
    ],
    [
      "general-ciphering, static unified, suite 2",
      { securitySuite: 2 },
      { form: "general-ciphering", scope: "global", key: "static-unified" },
      event,
      "agreed",
    ],
    [
      "general-signing around general-glo",
      { securitySuite: 1, securityPolicy: SIGNED },
      GENERAL,
      notification(),
      "unicast",
    ],
    ["general-signing alone", { securitySuite: 1, securityPolicy: SIGNED_ONLY }, GENERAL, notification(), "signed"],
  ])("is opened, verified and told from a repetition: %s", (_, part, dress, what, keySet) => {
    const { source, push, profile } = meter(part);
    const [one, two] = [first(push(what, dress)), first(push(what, dress))];
    if (what.name === "DataNotification") expect(claimedTitle(one)).toBe(toHex(METER_TITLE));
    const before = receivePush(source, never, one, { profile });
    expect(before).toMatchObject({
      authenticated: { title: toHex(METER_TITLE), keySet },
      sentAt: dateTimeAt(NOW, -60),
    });
    const stored = new Map([[keySet, before.authenticated?.counter]]);
    const last = (of: PushedUnder["keySet"]) => stored.get(of);
    const after = receivePush(source, last, two, { profile });
    expect(after.authenticated?.counter).toBeGreaterThan(before.authenticated?.counter ?? 0n);
    expect(() => receivePush(source, last, one, { profile })).toThrow(
      expect.objectContaining({ code: "dlms.stale-counter", reason: "auth" }),
    );
    const damaged = two.slice();
    damaged[damaged.length - 3] = (damaged[damaged.length - 3] ?? 0) ^ 0x40;
    expect(() => receivePush(source, never, damaged)).toThrow(expect.objectContaining({ reason: "auth" }));
  });

  it.each([notification(), event, report])("in clear is nobody's: a hint, whoever's keys are known (%o)", (what) => {
    const { source, push } = meter();
    const clear = first(push(what, { form: "clear", scope: "global" }));
    expect(claimedTitle(clear)).toBeUndefined();
    for (const known of [source, undefined]) expect(receivePush(known, never, clear).authenticated).toBeUndefined();
  });

  it("is refused under another title, without keys, in a weaker dress than the policy's, or as another APDU", () => {
    const { source, push } = meter();
    const sealed = decode(GeneralGloCiphering, first(push(notification(), GENERAL)));
    const other = encode(GeneralGloCiphering, { ...sealed, systemTitle: CLIENT_TITLE });
    expect(() => receivePush(source, never, other)).toThrow(expect.objectContaining({ code: "dlms.wrong-title" }));
    expect(() => receivePush(undefined, never, other)).toThrow(expect.objectContaining({ code: "dlms.keys-missing" }));
    const weak = meter({ securityPolicy: 0x40 }).push(notification(), GENERAL); // encrypted, without a tag
    expect(() => receivePush(source, never, first(weak))).toThrow(
      expect.objectContaining({ code: "dlms.weak-protection" }),
    );
    expect(() => receivePush(source, never, fromHex("C401C1000600000F23"))).toThrow(
      expect.objectContaining({ code: "dlms.unexpected-answer" }),
    );
    expect(() => receivePush(source, never, fromHex("0F4000"))).toThrow(
      expect.objectContaining({ code: "dlms.malformed-answer" }),
    );
  });

  it("that is encrypted alone is nobody's, where the policy lets it pass", () => {
    const { source, push } = meter({ securityPolicy: 0x40 });
    expect(receivePush(source, never, first(push(notification(), GENERAL))).authenticated).toBeUndefined();
  });

  it("is confirmed as it came, and the meter hears it, in and out of an association", () => {
    const { source, push, table, confirmed } = meter();
    const pushed = receivePush(source, never, first(push(notification(), GENERAL)));
    expect(pushed.confirmable).toBe(true);
    const confirm = confirmPush(source, pushed, draws()) ?? new Uint8Array();
    expect(confirm[0]).toBe(0xdb);
    expect(table.answers(1, confirm)).toEqual([]);
    expect(confirmed).toEqual([0x4000_0007]);
    table.answers(1, fromHex("104000000700")); // in clear it confirms nothing
    expect(confirmed).toHaveLength(1);
    const unasked = receivePush(source, never, first(push(notification(undefined, 7), GENERAL)));
    expect(confirmPush(source, unasked, draws())).toBeUndefined();
  });
});

describe("a push in blocks", () => {
  const long = notification(structure({ type: "octet-string", value: new Uint8Array(900).fill(7) }));
  it("is joined before it is opened; a lost block loses it, and the next push comes through", () => {
    const { source, push } = meter();
    const assembly = new PushAssembly();
    const join = (blocks: readonly Uint8Array[]) => blocks.flatMap((block) => assembly.take(block) ?? []);
    const blocks = push(long, GENERAL, 200);
    expect(blocks.length).toBeGreaterThan(4);
    const [whole] = join(blocks);
    expect(receivePush(source, never, whole ?? new Uint8Array()).values).toHaveLength(1);
    expect(join(push(long, GENERAL, 200).toSpliced(2, 1))).toEqual([]);
    expect(join(push(long, GENERAL, 200))).toHaveLength(1);
    expect(join([Uint8Array.of(0x0f)])).toEqual([Uint8Array.of(0x0f)]);
  });

  it("is given up when it does not end", () => {
    const assembly = new PushAssembly();
    const endless = (number: number) =>
      Uint8Array.of(0xe0, 0x40, number >> 8, number & 0xff, 0, 0, 0x82, 0x40, 0, ...new Uint8Array(0x4000));
    for (let number = 1; number < 12; number++) expect(assembly.take(endless(number))).toBeUndefined();
  });
});

describe("pushed values", () => {
  const values = (body: Data, objects?: readonly [number, string, number][]) => {
    const { source, push, profile } = meter();
    const { registers } = profile.dlms;
    const { scaler: _, ...unscaled } = registers[0] as (typeof registers)[number];
    const meaning = {
      profile: { ...profile, dlms: { ...profile.dlms, registers: [unscaled] } },
      ...(objects && {
        objects: objects.map(([classId, logicalName, attributeIndex]) => ({
          classId,
          logicalName,
          attributeIndex,
          dataIndex: 0,
        })),
      }),
    };
    return receivePush(source, never, first(push(notification(body), GENERAL)), meaning).values;
  };

  it("are named by the push object list, with scaler and unit where they are pushed too", () =>
    expect(
      values(structure(u32(123), scalerUnit(2, 30)), [
        [3, ENERGY, 2],
        [3, ENERGY, 3],
      ]),
    ).toMatchObject([
      {
        attribute: { classId: 3, logicalName: ENERGY, attributeId: 2 },
        measurement: "energy.active.import.total",
        number: { value: 123n, scaler: 2 },
      },
      { attribute: { attributeId: 3 } },
    ]));

  it("have no number in another unit than the measurement's", () => {
    const [value] = values(structure(u32(123), scalerUnit(0, 27)), [
      [3, ENERGY, 2],
      [3, ENERGY, 3],
    ]);
    expect(value).not.toHaveProperty("number");
  });

  it("name themselves where the meter pushes them so", () => {
    const name: Data = { type: "octet-string", value: fromHex("0100010800ff") };
    const [value] = values({ type: "array", value: [structure(name, u32(7), scalerUnit(-1, 30))] });
    expect(value).toMatchObject({ measurement: "energy.active.import.total", number: { value: 7n, scaler: -1 } });
  });

  it("are left unnamed when nothing names them", () => {
    const body = structure(u32(1), u32(2));
    expect(values(body, [[3, ENERGY, 2]])).toEqual([{ data: u32(1) }, { data: u32(2) }]);
  });

  it("of an information report are named by the profile's base names", () => {
    const { source, push, profile } = meter();
    expect(receivePush(source, never, first(push(report, GLO)), { profile }).values).toMatchObject([
      { shortName: 0x0108, measurement: "energy.active.import.total", number: { value: 11n, scaler: 0 } },
    ]);
    expect(receivePush(source, never, first(push(report, GLO))).values).toEqual([{ shortName: 0x0108, data: u32(11) }]);
  });

  it("of the recorded pushes of real meters are all read", () => {
    const set = (file.vectors as readonly { id: string }[]).find(({ id }) => id === "push-variants");
    const hexes = JSON.stringify(set).match(/"(0[fF][0-9a-fA-F]{10,})"/g) ?? [];
    expect(hexes.length).toBeGreaterThan(1);
    for (const hex of hexes)
      expect(receivePush(undefined, never, fromHex(hex.slice(1, -1))).values.length).toBeGreaterThan(0);
  });
});

describe("octets that are no push", () => {
  it("end in a typed error, whatever they are, and never in a push that counts", () => {
    const random = seeded("mutants of pushes");
    const { source, push } = meter();
    const genuine = [notification(), event, report].flatMap((what) => [
      ...push(what, GENERAL),
      ...push(what, GLO),
      ...push(what, { form: "clear", scope: "global" }),
      ...push(what, { form: "general-ciphering", scope: "global" }),
    ]);
    const kinds = { error: 0, hint: 0 };
    for (let round = 0; round < 3_000; round++) {
      const octets = (genuine[round % genuine.length] ?? new Uint8Array()).slice();
      for (let times = 1 + (random.uint32() % 3); times > 0; times--)
        octets[random.uint32() % octets.length] = random.uint32() & 0xff;
      const cut = random.uint32() % 4 === 0 ? octets.subarray(0, random.uint32() % octets.length) : octets;
      if (genuine.some((each) => toHex(each) === toHex(cut))) continue;
      try {
        expect(receivePush(source, never, cut).authenticated).toBeUndefined();
        kinds.hint++;
      } catch (error) {
        expect(error).toBeInstanceOf(SessionError);
        kinds.error++;
      }
    }
    expect(kinds.hint).toBeGreaterThan(50);
    expect(kinds.error).toBeGreaterThan(1_000);
  });
});
