import { c1222Layers } from "../../functions/decode/c1222-layers.ts";
import { contextOf, readGenConfig, STANDARD_TABLES } from "../../shared/c1219/standard-tables.ts";
import { readTable, type TableContext } from "../../shared/c1219/table-layout.ts";
import { AContext } from "../../shared/c1222/a-context.ts";
import { readPayload } from "../../shared/c1222/epsem.ts";
import { openApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { isSegment, Reassembly } from "../../shared/c1222/segmentation.ts";
import { decodeRequest } from "../../shared/c1222/services/request.ts";
import { decodeResponse } from "../../shared/c1222/services/response.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { decode } from "../../shared/wire/codec.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { fuzzedConversation } from "./c1222-conversation.ts";
import { KEY, KEY_ID, mutantApdu } from "./c1222-frames.ts";
import type { Fuzzer } from "./fuzzer.ts";

/** Tables that are read whichever way a table's octets came. */
const INTERPRETED = [0, 1, 3, 12, 21, 23, 26, 52, 61, 63, 74, 76] as const;
const EMPTY: TableContext = {
  config: {
    dataOrder: "little",
    charFormat: 1,
    timeFormat: 2,
    dataAccessMethod: 3,
    idForm: 1,
    intFormat: 0,
    niFormat1: 12,
    niFormat2: 0,
    fixedBcd: "point-b-minus-d",
  },
  tables: [],
};

/** Reads table data by a layout, and by itself where it may be table 0. */
function interpret(data: Uint8Array, turn: number): void {
  try {
    const base = readGenConfig(data) ?? EMPTY;
    const context = contextOf({ config: { ...EMPTY.config, ...base.config }, tables: [] }, new Map());
    const table = STANDARD_TABLES.get(INTERPRETED[turn % INTERPRETED.length] ?? 0);
    if (table !== undefined) readTable(table.fields, context, data);
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
  }
}

const reassembly = new Reassembly();
/** One of so many frames goes through the decode tool as well, which shows every layer. */
const SHOWN_OF = 8;

function decodeMutant(frame: Uint8Array): number {
  let depth = 0;
  try {
    const apdu = decode(AContext, frame);
    depth = 1;
    if (frame.length % SHOWN_OF === 0) c1222Layers(frame, [{ id: KEY_ID, key: KEY }]);
    if (isSegment(apdu)) reassembly.push(0, apdu);
    const opened = openApdu(apdu, (id) => (id === KEY_ID ? KEY : undefined));
    if (opened.kind === "closed") return depth;
    const { services } = readPayload(opened.payload, opened.control.edClassIncluded);
    let data: Uint8Array | undefined;
    for (const service of services) {
      if (apdu.calledApInvocationId === undefined) {
        const request = decodeRequest(service);
        if ("data" in request) ({ data } = request);
      } else {
        const { body } = decodeResponse("fullRead", service);
        if (body.kind === "data") ({ data } = body);
      }
    }
    if (services.length > 0) depth = 2;
    if (data === undefined) return depth;
    interpret(data, frame.length);
    return 3;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return depth;
  }
}

export const c1222Fuzzer: Fuzzer = {
  protocol: "c1222",
  mutant: mutantApdu,
  decode: decodeMutant,
  conversation: fuzzedConversation,
};
