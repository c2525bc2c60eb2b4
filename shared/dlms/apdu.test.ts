import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { WireError } from "../wire/wire-error.ts";
import { APDUS, type Apdu, decodeApdu, encodeApdu } from "./apdu.ts";
import { conformanceOf, servicesOf } from "./conformance.ts";

const attribute = { classId: 3, instanceId: "1.0.1.8.0.255", attributeId: 2 };
const ATTRIBUTE = "00030100010800ff02";
const method = { classId: 70, instanceId: "0.0.96.3.10.255", methodId: 1 };
const METHOD = "0046000060030aff01";
const entry = { accessSelector: 2, accessParameters: { type: "unsigned", value: 1 } as const };
const block = { lastBlock: true, blockNumber: 2, rawData: Uint8Array.of(0xaa, 0xbb) };
const BLOCK = "010000000202aabb";
const invokeIdAndPriority = 0xc1;

/** Computed from the productions of IEC 62056-5-3 by hand; none is a capture. */
const rows: readonly (readonly [string, Apdu])[] = [
  [
    "05020201000401080111ff",
    {
      name: "ReadRequest",
      value: {
        variableAccessSpecification: [
          { kind: "variableName", variableName: 0x0100 },
          {
            kind: "parameterizedAccess",
            variableName: 0x0108,
            selector: 1,
            parameter: { type: "unsigned", value: 255 },
          },
        ],
      },
    },
  ],
  [
    "0501050002",
    { name: "ReadRequest", value: { variableAccessSpecification: [{ kind: "blockNumberAccess", blockNumber: 2 }] } },
  ],
  [
    "050106010001020102",
    {
      name: "ReadRequest",
      value: {
        variableAccessSpecification: [
          { kind: "readDataBlockAccess", lastBlock: true, blockNumber: 1, rawData: Uint8Array.of(1, 2) },
        ],
      },
    },
  ],
  [
    "0c04001105010402010002020a0b030007",
    {
      name: "ReadResponse",
      value: {
        result: [
          { kind: "data", data: { type: "unsigned", value: 5 } },
          { kind: "dataAccessError", dataAccessError: 4 },
          {
            kind: "dataBlockResult",
            dataBlockResult: { lastBlock: true, blockNumber: 2, rawData: Uint8Array.of(0x0a, 0x0b) },
          },
          { kind: "blockNumber", blockNumber: 7 },
        ],
      },
    },
  ],
  [
    "0602020108070000010212000509020aff",
    {
      name: "WriteRequest",
      value: {
        variableAccessSpecification: [
          { kind: "variableName", variableName: 0x0108 },
          { kind: "writeDataBlockAccess", lastBlock: false, blockNumber: 1 },
        ],
        listOfData: [
          { type: "long-unsigned", value: 5 },
          { type: "octet-string", value: Uint8Array.of(0x0a, 0xff) },
        ],
      },
    },
  ],
  [
    "0d0300010c020001",
    {
      name: "WriteResponse",
      value: {
        result: [
          { kind: "success" },
          { kind: "dataAccessError", dataAccessError: 12 },
          { kind: "blockNumber", blockNumber: 1 },
        ],
      },
    },
  ],
  [
    "160102010801110a",
    {
      name: "UnconfirmedWriteRequest",
      value: {
        variableAccessSpecification: [{ kind: "variableName", variableName: 0x0108 }],
        listOfData: [{ type: "unsigned", value: 10 }],
      },
    },
  ],
  [
    "18010f32303236303132333132303030305a010201080111fe",
    {
      name: "InformationReportRequest",
      value: {
        currentTime: new TextEncoder().encode("20260123120000Z"),
        unflaggedTime: false,
        variableAccessSpecification: [{ kind: "variableName", variableName: 0x0108 }],
        listOfData: [{ type: "unsigned", value: 254 }],
      },
    },
  ],
  [
    "180c07ea0117050c000000000000010201080111fe",
    {
      name: "InformationReportRequest",
      value: {
        currentTime: fromHex("07ea0117050c000000000000"),
        unflaggedTime: true,
        variableAccessSpecification: [{ kind: "variableName", variableName: 0x0108 }],
        listOfData: [{ type: "unsigned", value: 254 }],
      },
    },
  ],
  [
    "104000000500",
    {
      name: "DataNotificationConfirm",
      value: { longInvokeIdAndPriority: 0x4000_0005, dateTime: new Uint8Array(0) },
    },
  ],
  [
    `c001c1${ATTRIBUTE}01021101`,
    {
      name: "GetRequest",
      value: { kind: "normal", invokeIdAndPriority, cosemAttributeDescriptor: attribute, accessSelection: entry },
    },
  ],
  [
    "c402c101000000050102",
    {
      name: "GetResponse",
      value: {
        kind: "withDatablock",
        invokeIdAndPriority,
        result: { lastBlock: true, blockNumber: 5, result: { kind: "dataAccessResult", dataAccessResult: 2 } },
      },
    },
  ],
  [
    "c403c1020011050104",
    {
      name: "GetResponse",
      value: {
        kind: "withList",
        invokeIdAndPriority,
        result: [
          { kind: "data", data: { type: "unsigned", value: 5 } },
          { kind: "dataAccessResult", dataAccessResult: 4 },
        ],
      },
    },
  ],
  [
    `c102c1${ATTRIBUTE}00${BLOCK}`,
    {
      name: "SetRequest",
      value: {
        kind: "withFirstDatablock",
        invokeIdAndPriority,
        cosemAttributeDescriptor: attribute,
        accessSelection: undefined,
        datablock: block,
      },
    },
  ],
  [`c103c1${BLOCK}`, { name: "SetRequest", value: { kind: "withDatablock", invokeIdAndPriority, datablock: block } }],
  [
    `c104c101${ATTRIBUTE}00011105`,
    {
      name: "SetRequest",
      value: {
        kind: "withList",
        invokeIdAndPriority,
        attributeDescriptorList: [{ cosemAttributeDescriptor: attribute, accessSelection: undefined }],
        valueList: [{ type: "unsigned", value: 5 }],
      },
    },
  ],
  [
    `c105c101${ATTRIBUTE}00${BLOCK}`,
    {
      name: "SetRequest",
      value: {
        kind: "withListAndFirstDatablock",
        invokeIdAndPriority,
        attributeDescriptorList: [{ cosemAttributeDescriptor: attribute, accessSelection: undefined }],
        datablock: block,
      },
    },
  ],
  ["c502c100000003", { name: "SetResponse", value: { kind: "datablock", invokeIdAndPriority, blockNumber: 3 } }],
  [
    "c503c10c00000003",
    { name: "SetResponse", value: { kind: "lastDatablock", invokeIdAndPriority, result: 12, blockNumber: 3 } },
  ],
  [
    "c504c102000300000003",
    {
      name: "SetResponse",
      value: { kind: "lastDatablockWithList", invokeIdAndPriority, result: [0, 3], blockNumber: 3 },
    },
  ],
  ["c505c1020003", { name: "SetResponse", value: { kind: "withList", invokeIdAndPriority, result: [0, 3] } }],
  ["c302c100000001", { name: "ActionRequest", value: { kind: "nextPblock", invokeIdAndPriority, blockNumber: 1 } }],
  [
    `c303c101${METHOD}010f00`,
    {
      name: "ActionRequest",
      value: {
        kind: "withList",
        invokeIdAndPriority,
        cosemMethodDescriptorList: [method],
        methodInvocationParameters: [{ type: "integer", value: 0 }],
      },
    },
  ],
  [
    `c304c1${METHOD}${BLOCK}`,
    {
      name: "ActionRequest",
      value: { kind: "withFirstPblock", invokeIdAndPriority, cosemMethodDescriptor: method, pBlock: block },
    },
  ],
  [
    `c305c101${METHOD}${BLOCK}`,
    {
      name: "ActionRequest",
      value: {
        kind: "withListAndFirstPblock",
        invokeIdAndPriority,
        cosemMethodDescriptorList: [method],
        pBlock: block,
      },
    },
  ],
  [`c306c1${BLOCK}`, { name: "ActionRequest", value: { kind: "withPblock", invokeIdAndPriority, pBlock: block } }],
  [
    "c701c10001000901ff",
    {
      name: "ActionResponse",
      value: {
        kind: "normal",
        invokeIdAndPriority,
        singleResponse: {
          result: 0,
          returnParameters: { kind: "data", data: { type: "octet-string", value: Uint8Array.of(0xff) } },
        },
      },
    },
  ],
  [`c702c1${BLOCK}`, { name: "ActionResponse", value: { kind: "withPblock", invokeIdAndPriority, pBlock: block } }],
  [
    "c703c1010c00",
    {
      name: "ActionResponse",
      value: { kind: "withList", invokeIdAndPriority, listOfResponses: [{ result: 12, returnParameters: undefined }] },
    },
  ],
  ["c704c100000007", { name: "ActionResponse", value: { kind: "nextPblock", invokeIdAndPriority, blockNumber: 7 } }],
  [
    `c200${ATTRIBUTE}1105`,
    {
      name: "EventNotificationRequest",
      value: { time: undefined, cosemAttributeDescriptor: attribute, attributeValue: { type: "unsigned", value: 5 } },
    },
  ],
  ["0e010604", { name: "ConfirmedServiceError", value: { confirmedServiceError: 1, serviceError: 6, value: 4 } }],
  [
    "d80102",
    { name: "ExceptionResponse", value: { stateError: 1, serviceError: 2, invocationCounterError: undefined } },
  ],
  [
    "da400000000000011105010100",
    {
      name: "AccessResponse",
      value: {
        longInvokeIdAndPriority: 0x4000_0000,
        dateTime: new Uint8Array(0),
        accessRequestSpecification: undefined,
        accessResponseListOfData: [{ type: "unsigned", value: 5 }],
        accessResponseSpecification: [{ kind: "get", result: 0 }],
      },
    },
  ],
  ["6200", { name: "RLRQ", value: { reason: undefined, userInformation: undefined } }],
];

describe.each(rows)("%s", (hex, apdu) => {
  it("decodes", () => expect(decodeApdu(fromHex(hex))).toEqual(apdu));
  it("encodes", () => expect(toHex(encodeApdu(apdu))).toBe(hex));
  it("rejects every truncation", () => {
    const octets = fromHex(hex);
    for (let length = 0; length < octets.length; length++)
      expect(() => decodeApdu(octets.subarray(0, length))).toThrow(WireError);
  });
});

describe("the registry", () => {
  it("knows each APDU by the tag that it writes", () => {
    for (const [hex, apdu] of rows)
      expect(APDUS[Number.parseInt(hex.slice(0, 2), 16) as keyof typeof APDUS].name).toBe(apdu.name);
  });
  it("refuses a tag that is no APDU in clear", () => {
    expect(() => decodeApdu(fromHex("c80100"))).toThrow(expect.objectContaining({ code: "wire.tag", offset: 0 }));
  });
});

describe("conformance", () => {
  it("names the services of the standard's example", () => {
    expect(servicesOf(0x007e1f)).toEqual([
      "priority-mgmt-supported",
      "attribute0-supported-with-get",
      "block-transfer-with-get-or-read",
      "block-transfer-with-set-or-write",
      "block-transfer-with-action",
      "multiple-references",
      "get",
      "set",
      "selective-access",
      "event-notification",
      "action",
    ]);
    expect(conformanceOf("get", "action")).toBe(0x11);
  });
});
