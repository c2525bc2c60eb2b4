import { describe, expect, it } from "vitest";
import { concat } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { ActionRequest } from "../action-request.ts";
import { ActionResponseList, ActionResponseWithOptionalData } from "../action-response.ts";
import type { Apdu } from "../apdu.ts";
import { type Data, DataCodec } from "../data.ts";
import { GetRequest } from "../get-request.ts";
import { GetDataResultList } from "../get-response.ts";
import { invokeIdAndPriority } from "../invoke-id.ts";
import { SetRequest, ValueList } from "../set-request.ts";
import { ECHO, fixture, HandMadeClient, INVOKE, LONG, LONG_VALUE, SAP, TEXT } from "./server-fixture.ts";

const invoke = { invokeIdAndPriority: INVOKE };
const get = (cosemAttributeDescriptor: { classId: number; instanceId: string; attributeId: number }) =>
  encode(GetRequest, { kind: "normal", ...invoke, cosemAttributeDescriptor, accessSelection: undefined });
const getNext = (blockNumber: number) => encode(GetRequest, { kind: "next", ...invoke, blockNumber });
const longText: Data = { type: "octet-string", value: Uint8Array.from({ length: 600 }, (_, at) => (at * 7) & 0xff) };

function open(made = fixture()): HandMadeClient {
  const client = new HandMadeClient(made.device, SAP.open);
  client.associate();
  return client;
}

/** Reads all blocks of an answer that began with `first`. */
function blocksOf(client: HandMadeClient, first: Apdu, ask: (number: number) => Apdu): Uint8Array {
  const parts: Uint8Array[] = [];
  let answer = first;
  for (;;) {
    if (answer.name !== "GetResponse" || answer.value.kind !== "withDatablock") throw new Error(`got ${answer.name}`);
    const { blockNumber, lastBlock, result } = answer.value.result;
    if (result.kind !== "rawData") throw new Error("a block was refused");
    parts.push(result.rawData.slice());
    expect(blockNumber).toBe(parts.length);
    expect(client.connection.blocksWaiting).toBe(!lastBlock);
    if (lastBlock) return concat(...parts);
    answer = ask(blockNumber);
  }
}

describe("GET", () => {
  it.each([
    ["an object that it does not have", { classId: 1, instanceId: "1.1.1.1.1.1", attributeId: 2 }, 4],
    ["an object of another class", { ...LONG, classId: 3 }, 9],
    ["an attribute that the class has not", { ...LONG, attributeId: 9 }, 4],
    ["an attribute that is written only", { ...TEXT, attributeId: 3 }, 3],
    ["all attributes at once", { ...TEXT, attributeId: 0 }, 4],
  ])("refuses %s", (_, descriptor, dataAccessResult) => {
    expect(open().clear(get(descriptor))).toMatchObject({
      value: { result: { kind: "dataAccessResult", dataAccessResult } },
    });
  });

  it("answers the logical name of any object, and a list of attributes", () => {
    const answer = open().clear(
      encode(GetRequest, {
        kind: "withList",
        ...invoke,
        attributeDescriptorList: [
          { cosemAttributeDescriptor: { ...LONG, attributeId: 1 }, accessSelection: undefined },
          { cosemAttributeDescriptor: { ...LONG, classId: 8 }, accessSelection: undefined },
        ],
      }),
    );
    expect(answer).toMatchObject({
      value: {
        kind: "withList",
        result: [
          { data: { value: Uint8Array.of(0, 0, 96, 1, 1, 255) } },
          { kind: "dataAccessResult", dataAccessResult: 9 },
        ],
      },
    });
  });

  it("sends a long value in blocks of the smaller PDU size", () => {
    for (const clientMaxReceivePduSize of [64, 100, 255, 1000]) {
      const client = new HandMadeClient(fixture().device, SAP.open);
      client.greet({ initiate: { clientMaxReceivePduSize } });
      let longest = 0;
      const ask = (apdu: Uint8Array): Apdu => {
        longest = Math.max(longest, client.raw(apdu)?.length ?? 0);
        return client.clear(apdu);
      };
      const whole = blocksOf(client, client.clear(get(LONG)), (number) => client.clear(getNext(number)));
      expect(decode(DataCodec, whole)).toEqual(LONG_VALUE);
      ask(get(LONG));
      expect(longest).toBeLessThanOrEqual(Math.min(clientMaxReceivePduSize, 256));
    }
  });

  it.each(["service-specific", "general"] as const)("keeps to the PDU size with its protection added, %s", (form) => {
    const client = new HandMadeClient(fixture().device, SAP.secured);
    client.form = form;
    client.associate({ initiate: { clientMaxReceivePduSize: 128 } });
    const sizes: number[] = [];
    const ask = (apdu: Uint8Array): Apdu => {
      const answer = client.secured(apdu);
      sizes.push(client.lastAnswer.length);
      return answer;
    };
    const whole = blocksOf(client, ask(get(LONG)), (number) => ask(getNext(number)));
    expect(decode(DataCodec, whole)).toEqual(LONG_VALUE);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128);
    expect(Math.max(...sizes)).toBeGreaterThan(110);
  });

  it("sends a long list in blocks", () => {
    const client = open();
    const request = encode(GetRequest, {
      kind: "withList",
      ...invoke,
      attributeDescriptorList: [LONG, LONG].map((cosemAttributeDescriptor) => ({
        cosemAttributeDescriptor,
        accessSelection: undefined,
      })),
    });
    const whole = blocksOf(client, client.clear(request), (number) => client.clear(getNext(number)));
    expect(decode(GetDataResultList, whole)).toEqual([
      { kind: "data", data: LONG_VALUE },
      { kind: "data", data: LONG_VALUE },
    ]);
  });

  it("refuses a block that is not the next, and ends the transfer", () => {
    const refused = (blockNumber: number, dataAccessResult: number) => ({
      value: { result: { lastBlock: true, blockNumber, result: { kind: "dataAccessResult", dataAccessResult } } },
    });
    const client = open();
    client.clear(get(LONG));
    expect(client.clear(getNext(2))).toMatchObject(refused(2, 19));
    expect(client.clear(getNext(1))).toMatchObject(refused(1, 16));
    client.clear(get(LONG));
    client.clear(get(TEXT));
    expect(client.clear(getNext(1))).toMatchObject(refused(1, 16));
  });

  it("answers nothing to an unconfirmed request", () => {
    const request = get(TEXT);
    request[2] = invokeIdAndPriority(1, { confirmed: false });
    expect(open().raw(request)).toBeUndefined();
  });

  it("refuses a long value where blocks were not negotiated", () => {
    const client = new HandMadeClient(fixture().device, SAP.open);
    client.greet({ services: ["get"] });
    expect(client.clear(get(LONG))).toMatchObject({ value: { result: { dataAccessResult: 250 } } });
  });
});

describe("SET", () => {
  const normal = (descriptor: typeof TEXT | typeof LONG, value: Data) =>
    encode(SetRequest, {
      kind: "normal",
      ...invoke,
      cosemAttributeDescriptor: descriptor,
      accessSelection: undefined,
      value,
    });

  it("sets what may be set and refuses the rest", () => {
    const made = fixture();
    const client = open(made);
    const value: Data = { type: "unsigned", value: 5 };
    expect(client.clear(normal(TEXT, value))).toMatchObject({ value: { kind: "normal", result: 0 } });
    expect(made.memory.text).toEqual(value);
    expect(client.clear(normal(LONG, value))).toMatchObject({ value: { result: 3 } });
    expect(client.clear(normal({ ...TEXT, classId: 3 } as never, value))).toMatchObject({ value: { result: 9 } });
  });

  it("sets a list, one result each", () => {
    const attributeDescriptorList = [TEXT, LONG].map((cosemAttributeDescriptor) => ({
      cosemAttributeDescriptor,
      accessSelection: undefined,
    }));
    const valueList: Data[] = [longText, longText].map(() => ({ type: "unsigned", value: 1 }));
    const request = encode(SetRequest, { kind: "withList", ...invoke, attributeDescriptorList, valueList });
    expect(open().clear(request)).toMatchObject({ value: { kind: "withList", result: [0, 3] } });
  });

  const datablock = (octets: Uint8Array, blockNumber: number, lastBlock: boolean) => ({
    lastBlock,
    blockNumber,
    rawData: octets.subarray((blockNumber - 1) * 200, blockNumber * 200),
  });
  const first = (octets: Uint8Array, number = 1) =>
    encode(SetRequest, {
      kind: "withFirstDatablock",
      ...invoke,
      cosemAttributeDescriptor: TEXT,
      accessSelection: undefined,
      datablock: datablock(octets, number, false),
    });
  const following = (octets: Uint8Array, number: number, last: boolean) =>
    encode(SetRequest, { kind: "withDatablock", ...invoke, datablock: datablock(octets, number, last) });

  it("takes a long value in blocks", () => {
    const made = fixture();
    const client = open(made);
    const octets = encode(DataCodec, longText).slice();
    expect(client.clear(first(octets))).toMatchObject({ value: { kind: "datablock", blockNumber: 1 } });
    expect(client.clear(following(octets, 2, false))).toMatchObject({ value: { kind: "datablock", blockNumber: 2 } });
    expect(client.clear(following(octets, 3, false))).toMatchObject({ value: { kind: "datablock", blockNumber: 3 } });
    expect(made.memory.text).not.toEqual(longText);
    expect(client.clear(following(octets, 4, true))).toMatchObject({
      value: { kind: "lastDatablock", result: 0, blockNumber: 4 },
    });
    expect(made.memory.text).toEqual(longText);
  });

  it("takes a list of values in blocks", () => {
    const made = fixture();
    const client = open(made);
    const octets = encode(ValueList, [longText]).slice();
    const begin = encode(SetRequest, {
      kind: "withListAndFirstDatablock",
      ...invoke,
      attributeDescriptorList: [{ cosemAttributeDescriptor: TEXT, accessSelection: undefined }],
      datablock: datablock(octets, 1, false),
    });
    client.clear(begin);
    client.clear(following(octets, 2, false));
    client.clear(following(octets, 3, false));
    expect(client.clear(following(octets, 4, true))).toMatchObject({
      value: { kind: "lastDatablockWithList", result: [0], blockNumber: 4 },
    });
    expect(made.memory.text).toEqual(longText);
  });

  it("refuses blocks out of order, without a beginning, or that join to no value", () => {
    const made = fixture();
    const client = open(made);
    const octets = encode(DataCodec, longText).slice();
    const last = (result: number) => ({ value: { kind: "lastDatablock", result } });
    client.clear(first(octets));
    expect(client.clear(following(octets, 3, false))).toMatchObject(last(19));
    expect(client.clear(following(octets, 2, false))).toMatchObject(last(18));
    expect(client.clear(first(octets, 2))).toMatchObject(last(19));
    client.clear(first(octets));
    expect(client.clear(following(octets, 2, true))).toMatchObject(last(12));
    expect(made.memory.text).toEqual({ type: "octet-string", value: new Uint8Array(0) });
  });

  it("takes no more than its limit", () => {
    const client = open();
    const rawData = new Uint8Array(200);
    const block = { lastBlock: false, blockNumber: 1, rawData };
    client.clear(
      encode(SetRequest, {
        kind: "withFirstDatablock",
        ...invoke,
        cosemAttributeDescriptor: TEXT,
        accessSelection: undefined,
        datablock: block,
      }),
    );
    let answer: Apdu | undefined;
    let blockNumber = 1;
    do {
      blockNumber += 1;
      answer = client.clear(
        encode(SetRequest, { kind: "withDatablock", ...invoke, datablock: { ...block, blockNumber } }),
      );
    } while (answer.name === "SetResponse" && answer.value.kind === "datablock" && blockNumber < 1000);
    expect(answer).toMatchObject({ value: { kind: "lastDatablock", result: 19 } });
    expect(blockNumber * 200).toBeLessThanOrEqual(0x1_0000 + 200);
  });
});

describe("ACTION", () => {
  const normal = (parameters: Data | undefined) =>
    encode(ActionRequest, {
      kind: "normal",
      ...invoke,
      cosemMethodDescriptor: ECHO,
      methodInvocationParameters: parameters,
    });
  const next = (blockNumber: number) => encode(ActionRequest, { kind: "nextPblock", ...invoke, blockNumber });
  const pBlock = (octets: Uint8Array, blockNumber: number) => ({
    lastBlock: blockNumber * 200 >= octets.length,
    blockNumber,
    rawData: octets.subarray((blockNumber - 1) * 200, blockNumber * 200),
  });

  /** Sends parameters in blocks and reads the answer in blocks. */
  function inBlocks(client: HandMadeClient, begin: Uint8Array, octets: Uint8Array): Uint8Array {
    let answer = client.clear(begin);
    for (let number = 2; answer.name === "ActionResponse" && answer.value.kind === "nextPblock"; number++)
      answer = client.clear(encode(ActionRequest, { kind: "withPblock", ...invoke, pBlock: pBlock(octets, number) }));
    const parts: Uint8Array[] = [];
    for (;;) {
      if (answer.name !== "ActionResponse" || answer.value.kind !== "withPblock") throw new Error("no block");
      parts.push(answer.value.pBlock.rawData.slice());
      if (answer.value.pBlock.lastBlock) return concat(...parts);
      answer = client.clear(next(answer.value.pBlock.blockNumber));
    }
  }

  it("invokes a method, and refuses one that is not there", () => {
    const client = open();
    const data: Data = { type: "unsigned", value: 9 };
    expect(client.clear(normal(data))).toMatchObject({
      value: { singleResponse: { result: 0, returnParameters: { data } } },
    });
    expect(client.clear(normal(undefined))).toMatchObject({
      value: { singleResponse: { result: 0, returnParameters: undefined } },
    });
    const missing = encode(ActionRequest, {
      kind: "normal",
      ...invoke,
      cosemMethodDescriptor: { ...ECHO, methodId: 7 },
      methodInvocationParameters: undefined,
    });
    expect(client.clear(missing)).toMatchObject({ value: { singleResponse: { result: 4 } } });
  });

  it("takes parameters and gives its answer in blocks", () => {
    const octets = encode(DataCodec, longText).slice();
    const begin = encode(ActionRequest, {
      kind: "withFirstPblock",
      ...invoke,
      cosemMethodDescriptor: ECHO,
      pBlock: pBlock(octets, 1),
    });
    const whole = inBlocks(open(), begin, octets);
    expect(decode(ActionResponseWithOptionalData, whole)).toEqual({
      result: 0,
      returnParameters: { kind: "data", data: longText },
    });
  });

  it("takes a list of methods, in one request and in blocks", () => {
    const short: Data = { type: "unsigned", value: 1 };
    const list = encode(ActionRequest, {
      kind: "withList",
      ...invoke,
      cosemMethodDescriptorList: [ECHO, { ...ECHO, methodId: 3 }],
      methodInvocationParameters: [short, short],
    });
    expect(open().clear(list)).toMatchObject({
      value: { kind: "withList", listOfResponses: [{ result: 0 }, { result: 4 }] },
    });
    const octets = encode(ValueList, [longText]).slice();
    const begin = encode(ActionRequest, {
      kind: "withListAndFirstPblock",
      ...invoke,
      cosemMethodDescriptorList: [ECHO],
      pBlock: pBlock(octets, 1),
    });
    expect(decode(ActionResponseList, inBlocks(open(), begin, octets))).toMatchObject([{ result: 0 }]);
  });

  it("refuses blocks out of order and asks for answers that are not there", () => {
    const client = open();
    const refused = (result: number) => ({ value: { kind: "normal", singleResponse: { result } } });
    const octets = encode(DataCodec, longText).slice();
    const block = (number: number) =>
      encode(ActionRequest, { kind: "withPblock", ...invoke, pBlock: pBlock(octets, number) });
    expect(client.clear(block(1))).toMatchObject(refused(16));
    expect(client.clear(next(1))).toMatchObject(refused(16));
    client.clear(
      encode(ActionRequest, {
        kind: "withFirstPblock",
        ...invoke,
        cosemMethodDescriptor: ECHO,
        pBlock: pBlock(octets, 1),
      }),
    );
    expect(client.clear(block(3))).toMatchObject(refused(15));
    expect(client.clear(block(2))).toMatchObject(refused(16));
  });
});
