import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex } from "../ports/octets.ts";
import { type Codec, decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import file from "./vectors/dlms-vectors.json" with { type: "json" };

/** One rule for every codec of the protocol: it goes both ways, and refuses each truncation and whatever follows. */

/** Content of an element that says where it ends: these take all that it holds. */
const OPEN_ENDED: ReadonlySet<string> = new Set(["acseRequirements", "protocolVersion"]);

const ATTRIBUTE = "00030100010800ff02";
const METHOD = "0046000060030aff01";
const SELECTION = "021101";
const HEADER = "080000000000000001084d4d4d0000000001084d4d4d0000bc614e0000";
const CONTENT = "12300000000105000000000000000000000000";

/** By the codec's name; computed from the productions by hand, one for each alternative. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  boolean: ["00", "01"],
  applicationContextName: ["060760857405080101", "060760857405080103"],
  authenticationValue: ["80040a0b0c0d"],
  integer: ["020101", "02020100"],
  mechanismName: ["60857405080205"],
  octets: ["0400", "0403010203"],
  AccessRequestSpecification: [
    `01${ATTRIBUTE}`,
    `02${ATTRIBUTE}`,
    `03${METHOD}`,
    `04${ATTRIBUTE}${SELECTION}`,
    `05${ATTRIBUTE}${SELECTION}`,
  ],
  ActionResponseWithOptionalData: ["0000", "00010009020102", "00010103"],
  ActionResponseList: ["00", "0200000c00", "010001001105"],
  TypeDescriptionCodec: ["12", "01000306", "02021112", "02010100020f"],
  Conformance: ["5f1f0400007e1f"],
  CosemAttributeDescriptor: [ATTRIBUTE],
  CosemMethodDescriptor: [METHOD],
  CosemAttributeDescriptorWithSelection: [`${ATTRIBUTE}00`, `${ATTRIBUTE}01${SELECTION}`],
  SelectiveAccessDescriptor: [SELECTION],
  ActionResult: ["00", "fa"],
  DataAccessResult: ["00", "fa"],
  DataBlockG: ["00000000010002aabb", "0100000002010b"],
  DataBlockSA: ["010000000202aabb"],
  DataCodec: [
    "00",
    "0102110111ff",
    "02021101120203",
    "0300",
    "040ca5f0",
    "05fffffffe",
    "06000003e9",
    "09020a0b",
    "0a0368c3e9",
    "0c03e282ac",
    "0d12",
    "0fff",
    "10ff00",
    "11ff",
    "12ffff",
    "1312060001000200ff",
    "1302021112060100020300ff",
    "14ffffffffffffff00",
    "150000000100000000",
    "161e",
    "173f800000",
    "183ff0000000000000",
    "1907ea0117050c000000ffc400",
    "1a07ea011705",
    "1b0c000000",
    "1cff",
    "1dff00",
    "1efffffffe",
    "1fff",
    "20ffff",
    "21000003e9",
    "ff",
  ],
  DateCodec: ["07ea011705", "fffffefdff"],
  DateTimeCodec: ["07ea0117050c000000ffc400", "ffffffffffffffffff8000ff"],
  TimeCodec: ["0c000000", "ffffffff"],
  GetDataResult: ["001105", "0103"],
  GetDataResultList: ["00", "020011050103"],
  logicalName: ["0100010800ff"],
  HdlcFrameCodec: ["7ea00703035380d77e", "7ea020030393fec9818014050207ee060207ee070400000001080400000001b5d47e"],
  HdlcParametersCodec: ["818012050180060180070400000001080400000001", "8180140502020006020200070400000003080400000003"],
  ObjectName: ["fa00"],
  VariableAccessSpecification: ["020100", "0401080111ff", "050002", "06010001020102", "07000001"],
  VariableAccessList: ["00", "02020100020108"],
  ReadRequestContent: ["00", "02020100020108"],
  ReadResponseContent: ["00", "04001105010402010002020a0b030007"],
  DataBlockResult: ["010002020a0b"],
  WriteRequestContent: ["020201080201100212000509020aff"],
  ValueList: ["00", "0212000509020aff"],
  GeneralCiphering: [
    `dd${HEADER}00${CONTENT}`,
    `dd${HEADER}010000${CONTENT}`,
    `dd${HEADER}01010002aabb${CONTENT}`,
    `dd${HEADER}0102010102ccdd${CONTENT}`,
  ],
  GeneralGloCiphering: [`db084d4d4d0000bc614e${CONTENT}`, `db00${CONTENT}`],
  GeneralDedCiphering: [`dc084d4d4d0000bc614e${CONTENT}`],
  GeneralSigning: [`df${HEADER}02c00102aabb`],
  KeyInfo: ["0000", "010002aabb", "02010102ccdd"],
  ServiceCiphered: [`c8${CONTENT}`, `d4${CONTENT}`],
  Wrapper: ["0001000100100002c001", "0001001000010000"],
  ReadRequest: ["05020201000401080111ff", "0501050002", "050106010001020102"],
  ReadResponse: ["0c04001105010402010002020a0b030007"],
  WriteRequest: ["0602020108070000010212000509020aff"],
  WriteResponse: ["0d0300010c020001"],
  UnconfirmedWriteRequest: ["160102010801110a"],
  InformationReportRequest: [
    "1800010201080111fe",
    "18010f32303236303132333132303030305a010201080111fe",
    "180c07ea0117050c000000000000010201080111fe",
  ],
  DataNotificationConfirm: ["104000000500", "10400000050c07ea0117050c000000ffc400"],
  EventNotificationRequest: [
    `c200${ATTRIBUTE}1105`,
    `c2010c07ea0117050c000000ffc400${ATTRIBUTE}1105`,
    `c2090c07ea0117050c000000ffc400${ATTRIBUTE}1105`,
  ],
  ActionRequest: [
    `c301c1${METHOD}00`,
    `c302c100000002`,
    `c303c101${METHOD}011105`,
    `c304c1${METHOD}010000000202aabb`,
    `c305c101${METHOD}010000000202aabb`,
    `c306c1010000000202aabb`,
  ],
  ActionResponse: ["c701c1000100110a", "c702c1010000000202aabb", "c703c1010c00", "c704c100000002"],
  SetRequest: [
    `c101c1${ATTRIBUTE}001105`,
    `c102c1${ATTRIBUTE}00010000000202aabb`,
    `c103c1010000000202aabb`,
    `c104c101${ATTRIBUTE}00011105`,
    `c105c101${ATTRIBUTE}00010000000202aabb`,
  ],
  SetResponse: ["c501c100", "c502c100000002", "c503c10c00000003", "c504c102000300000003", "c505c1020003"],
  AccessResponse: ["da400000000000011105010100"],
  ConfirmedServiceError: ["0e010600", "0e050301"],
  ExceptionResponse: ["d80102", "d8010600000131"],
};

interface Known {
  readonly kind?: string;
  readonly hex?: string;
  readonly plain?: string;
  readonly items?: readonly Known[];
  readonly steps?: readonly Known[];
  readonly messages?: readonly Known[];
}
const known = (one: Known): readonly string[] => [
  ...(one.kind === "negative" ? [] : [one.hex ?? "", one.plain ?? ""]),
  ...[...(one.items ?? []), ...(one.steps ?? []), ...(one.messages ?? [])].flatMap(known),
];
/** Everything in the known answers and recordings, each tried with every codec that begins with a tag of its own. */
const KNOWN = [...(file.vectors as readonly Known[]), ...(file.sessions as readonly Known[])]
  .flatMap(known)
  .flatMap((hex) => (/^000100/.test(hex) ? [hex.slice(16)] : [hex])) // an APDU in a wrapper
  .filter((hex) => hex !== "")
  .map(fromHex);

const isCodec = (value: unknown): value is Codec<unknown> =>
  typeof value === "object" &&
  value !== null &&
  ["read", "write"].every((name) => typeof (value as Record<string, unknown>)[name] === "function");

const modules = await Promise.all(
  globSync(["*.ts", "security/*.ts"], { cwd: import.meta.dirname })
    .filter((name) => !/\.test\.ts$/.test(name))
    .sort()
    .map(async (name) => Object.entries((await import(join(import.meta.dirname, name))) as Record<string, unknown>)),
);
const CODECS = modules
  .flat()
  .filter((entry): entry is [string, Codec<unknown>] => isCodec(entry[1]) && !OPEN_ENDED.has(entry[0]));

function reads(codec: Codec<unknown>, octets: Uint8Array): boolean {
  try {
    decode(codec, octets);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** By hand, and of the recordings all that the codec takes and gives back. */
function samplesOf(name: string, codec: Codec<unknown>): readonly Uint8Array[] {
  const recorded = /^[A-Z]/.test(name) && !(name in SAMPLES) ? KNOWN.filter((octets) => reads(codec, octets)) : [];
  return [...(SAMPLES[name] ?? []).map(fromHex), ...recorded];
}

describe("every codec", () => {
  it("is found, and no sample is left over", () => {
    expect(CODECS.length).toBeGreaterThan(60);
    const names = new Set(CODECS.map(([name]) => name));
    expect(Object.keys(SAMPLES).filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(CODECS)("%s goes both ways, and refuses each truncation and left-over octets", (name, codec) => {
    const samples = samplesOf(name, codec);
    expect(samples.length, "samples").toBeGreaterThan(0);
    for (const octets of samples) {
      const hex = toHex(octets);
      expect(toHex(encode(codec, decode(codec, octets)))).toBe(hex);
      for (let length = 0; length < octets.length; length++)
        expect(() => decode(codec, octets.subarray(0, length)), `${hex} cut to ${length}`).toThrow(WireError);
      for (const more of [0x00, 0x7e, 0xff])
        expect(() => decode(codec, concat(octets, Uint8Array.of(more))), `${hex} and ${more}`).toThrow(WireError);
    }
  });
});
