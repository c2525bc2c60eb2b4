import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { concat } from "../../ports/octets.ts";
import { seeded } from "../../ports/random.ts";
import { encode } from "../../wire/codec.ts";
import { GetRequest } from "../get-request.ts";
import { SetRequest } from "../set-request.ts";
import { wrap } from "../wrapper.ts";
import { ServerConnection } from "./connection.ts";
import { fixture, HandMadeClient, INVOKE, LONG, SAP, TEXT } from "./server-fixture.ts";

const invoke = { invokeIdAndPriority: INVOKE };
const get = (cosemAttributeDescriptor: { classId: number; instanceId: string; attributeId: number }) =>
  encode(GetRequest, { kind: "normal", ...invoke, cosemAttributeDescriptor, accessSelection: undefined });
const getNext = (blockNumber: number) => encode(GetRequest, { kind: "next", ...invoke, blockNumber });

describe("a connection", () => {
  it("carries several associations, each by its pair of SAPs", () => {
    const { device } = fixture();
    const open = new HandMadeClient(device, SAP.open);
    open.associate();
    const other = Object.assign(new HandMadeClient(device, SAP.secret), { connection: open.connection });
    expect(other.clear(get(TEXT)).name).toBe("ExceptionResponse");
    other.associate();
    expect(other.clear(get(TEXT)).name).toBe("GetResponse");
    expect(open.clear(get(TEXT)).name).toBe("GetResponse");
  });

  it("does not answer for another logical device, and closes on a bad wrapper version", () => {
    const { device } = fixture();
    const connection = new ServerConnection(device, { crypto: nodeCrypto, random: seeded(1) });
    expect(connection.receive(wrap(16, 2, get(TEXT)))).toEqual({ send: [], close: false });
    expect(connection.receive(Uint8Array.of(0, 2, 0, 16, 0, 1, 0, 0))).toEqual({ send: [], close: true });
  });

  it("takes octets cut anywhere", () => {
    const { device } = fixture();
    const client = new HandMadeClient(device, SAP.open);
    const stream = concat(wrap(16, 1, client.aarq()), wrap(16, 1, get(TEXT)), wrap(16, 1, get(LONG)));
    const whole = client.connection.receive(stream).send.map((answer) => answer.slice());
    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        const connection = new ServerConnection(device, { crypto: nodeCrypto, random: seeded(1) });
        const answers: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          answers.push(...connection.receive(stream.slice(at, at + size)).send);
          at += size;
        }
        expect(answers).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });
});

describe("arbitrary octets", () => {
  const sap = fc.constantFrom(...Object.values(SAP), 0, 77);

  it("never break the server, whatever state it is in", () => {
    fc.assert(
      fc.property(
        sap,
        fc.boolean(),
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }),
        (from, greeted, apdus) => {
          const client = new HandMadeClient(fixture().device, from);
          if (greeted && from !== 0 && from !== 77) client.associate();
          for (const apdu of apdus) {
            client.connection.receive(wrap(from, 1, apdu));
            client.connection.receive(apdu);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("nor do genuine requests with octets changed, cut off or put in; and no secret state moves", () => {
    const requests = (client: HandMadeClient): readonly Uint8Array[] => [
      client.aarq(),
      get(LONG),
      getNext(1),
      encode(SetRequest, {
        kind: "withFirstDatablock",
        ...invoke,
        cosemAttributeDescriptor: TEXT,
        accessSelection: undefined,
        datablock: { lastBlock: false, blockNumber: 1, rawData: new Uint8Array(20) },
      }),
      client.replyToHls(new Uint8Array(17)),
      client.protect(get(LONG)),
    ];
    const change = fc.record({
      which: fc.nat({ max: 5 }),
      at: fc.nat({ max: 200 }),
      octet: fc.integer({ min: 0, max: 255 }),
      remove: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(SAP)), fc.array(change, { maxLength: 12 }), (from, changes) => {
        const made = fixture();
        const client = new HandMadeClient(made.device, from);
        client.associate();
        for (const { which, at, octet, remove } of changes) {
          const request = requests(client)[which] ?? new Uint8Array(0);
          const place = at % (request.length + 1);
          const mutant = concat(request.subarray(0, place), Uint8Array.of(octet), request.subarray(place + remove));
          if (mutant.length === request.length && mutant.every((each, index) => each === request[index])) continue;
          const accepted = made.counters.acceptedAll.length;
          client.connection.receive(wrap(from, 1, mutant));
          // Tag and length of the dress are not authenticated; everything behind them is.
          if (which === 5 && place > 1 && from === SAP.secured) expect(made.counters.acceptedAll.length).toBe(accepted);
        }
      }),
      { numRuns: 300 },
    );
  });
});
