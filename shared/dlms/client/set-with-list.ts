import { SessionError } from "../../metering/failure.ts";
import { encode } from "../../wire/codec.ts";
import type { CosemAttributeDescriptorWithSelection } from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import { SetRequest, ValueList } from "../set-request.ts";
import { blocksOf } from "./block-assembly.ts";
import { type Exchange, wrongForm } from "./exchange.ts";
import { APDU_HEAD, BLOCK_HEAD, checkAcknowledged, set } from "./set.ts";

/** An attribute with the value that it is to hold. */
export interface AttributeValue extends CosemAttributeDescriptorWithSelection {
  readonly value: Data;
}

/**
 * Writes several attributes in one request, in blocks when it is too long for one APDU; one Data-Access-Result for
 * each, in order. Where the association offers no lists they are written one by one. Throws `SessionError`.
 */
export async function setWithList(exchange: Exchange, items: readonly AttributeValue[]): Promise<readonly number[]> {
  exchange.require("set");
  if (items.length < 2 || !exchange.offers("multiple-references")) {
    const results: number[] = [];
    for (const { cosemAttributeDescriptor, value, accessSelection } of items)
      results.push(await set(exchange, cosemAttributeDescriptor, value, accessSelection));
    return results;
  }
  if (items.some(({ accessSelection }) => accessSelection !== undefined)) exchange.require("selective-access");
  const invokeIdAndPriority = exchange.nextInvoke();
  const attributeDescriptorList = items.map(({ cosemAttributeDescriptor, accessSelection }) => ({
    cosemAttributeDescriptor,
    accessSelection,
  }));
  const valueList = items.map(({ value }) => value);
  const whole = encode(SetRequest, { kind: "withList", invokeIdAndPriority, attributeDescriptorList, valueList });
  if (whole.length <= exchange.requestMax) {
    const answer = await exchange.ask("SetResponse", invokeIdAndPriority, whole);
    if (answer.kind === "withList") return counted(answer.result, items.length);
    // A meter that refuses the whole list refuses each of its items.
    if (answer.kind === "normal" && answer.result !== 0) return items.map(() => answer.result);
    throw wrongForm("Set-Response-With-List", answer.kind);
  }
  exchange.require("block-transfer-with-set-or-write");
  const octets = encode(ValueList, valueList);
  const head = { invokeIdAndPriority, attributeDescriptorList };
  const first = exchange.requestMax - (whole.length - octets.length) - BLOCK_HEAD;
  if (first < 1)
    throw new SessionError("unsupported", "dlms.list-too-long", "the references alone do not fit the meter's APDU", {
      detail: { items: items.length },
    });
  for (const datablock of blocksOf(octets, first, exchange.requestMax - APDU_HEAD - BLOCK_HEAD)) {
    const request = encode(
      SetRequest,
      datablock.blockNumber === 1
        ? { kind: "withListAndFirstDatablock", ...head, datablock }
        : { kind: "withDatablock", invokeIdAndPriority, datablock },
    );
    const answer = await exchange.ask("SetResponse", invokeIdAndPriority, request);
    if (answer.kind === "lastDatablockWithList" && datablock.lastBlock) return counted(answer.result, items.length);
    if ((answer.kind === "lastDatablock" || answer.kind === "normal") && answer.result !== 0)
      return items.map(() => answer.result);
    if (answer.kind !== "datablock" || datablock.lastBlock) throw wrongForm("Set-Response-Datablock", answer.kind);
    checkAcknowledged(datablock.blockNumber, answer.blockNumber);
  }
  throw wrongForm("Set-Response-Last-Datablock-With-List", "none");
}

/** Throws `SessionError` `dlms.wrong-count` unless every item has its result. */
export function counted<T>(results: readonly T[], expected: number): readonly T[] {
  if (results.length === expected) return results;
  throw new SessionError("protocol", "dlms.wrong-count", `expected ${expected} results, got ${results.length}`, {
    detail: { expected, received: results.length },
  });
}
