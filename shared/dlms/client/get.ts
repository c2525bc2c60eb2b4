import { SessionError } from "../../metering/failure.ts";
import { type Codec, decode, encode } from "../../wire/codec.ts";
import type { CosemAttributeDescriptorWithSelection } from "../cosem-attribute-descriptor.ts";
import { DataCodec } from "../data.ts";
import type { DataBlockG } from "../data-block.ts";
import type { GetDataResult } from "../get-data-result.ts";
import { GetRequest } from "../get-request.ts";
import { GetDataResultList } from "../get-response.ts";
import { conversationError } from "./apdu-link.ts";
import { BlockAssembly } from "./block-assembly.ts";
import { type Exchange, wrongForm } from "./exchange.ts";

/** Reads an attribute. A refusal by the meter is a result; throws `SessionError`. */
export async function get(exchange: Exchange, item: CosemAttributeDescriptorWithSelection): Promise<GetDataResult> {
  exchange.require("get");
  if (item.accessSelection !== undefined) exchange.require("selective-access");
  const invokeIdAndPriority = exchange.nextInvoke();
  const request = encode(GetRequest, { kind: "normal", invokeIdAndPriority, ...item });
  const answer = await exchange.ask("GetResponse", invokeIdAndPriority, request);
  if (answer.kind === "normal") return answer.result;
  if (answer.kind === "withList") throw wrongForm("Get-Response-Normal", "Get-Response-With-List");
  const blocks = await remainingBlocks(exchange, invokeIdAndPriority, answer.result);
  if (blocks.kind === "refused") return { kind: "dataAccessResult", dataAccessResult: blocks.result };
  return { kind: "data", data: joined(DataCodec, blocks.octets) };
}

/** Octets of a descriptor without selection, and of everything before the list. */
const ITEM_OCTETS = 10;
const LIST_HEAD = 8;
/** More would make one lost answer dear. */
const ITEMS_MAX = 32;

/**
 * Reads attributes, several in a request where the association offers it. One result for each item, in order. Items
 * with selections are for `get`.
 */
export async function getWithList(
  exchange: Exchange,
  items: readonly CosemAttributeDescriptorWithSelection[],
): Promise<readonly GetDataResult[]> {
  const results: GetDataResult[] = [];
  const room = Math.floor((exchange.requestMax - LIST_HEAD) / ITEM_OCTETS);
  const step = exchange.offers("multiple-references") ? Math.max(1, Math.min(ITEMS_MAX, room)) : 1;
  for (let at = 0; at < items.length; at += step) {
    const part = items.slice(at, at + step);
    const [only] = part;
    if (part.length === 1 && only !== undefined) results.push(await get(exchange, only));
    else results.push(...(await getList(exchange, part)));
  }
  return results;
}

async function getList(
  exchange: Exchange,
  items: readonly CosemAttributeDescriptorWithSelection[],
): Promise<readonly GetDataResult[]> {
  exchange.require("get");
  const invokeIdAndPriority = exchange.nextInvoke();
  const request = encode(GetRequest, { kind: "withList", invokeIdAndPriority, attributeDescriptorList: items });
  const answer = await exchange.ask("GetResponse", invokeIdAndPriority, request);
  const results = await listOf(exchange, invokeIdAndPriority, answer, items.length);
  if (results.length !== items.length)
    throw new SessionError("protocol", "dlms.wrong-count", `expected ${items.length} results, got ${results.length}`, {
      detail: { expected: items.length, received: results.length },
    });
  return results;
}

type Answer = Awaited<ReturnType<typeof Exchange.prototype.ask<"GetResponse">>>;
async function listOf(
  exchange: Exchange,
  invoke: number,
  answer: Answer,
  count: number,
): Promise<readonly GetDataResult[]> {
  if (answer.kind === "withList") return answer.result;
  if (answer.kind === "normal") {
    // A meter that refuses the whole list refuses each of its items.
    if (answer.result.kind === "dataAccessResult") return Array.from({ length: count }, () => answer.result);
    throw wrongForm("Get-Response-With-List", "Get-Response-Normal");
  }
  const blocks = await remainingBlocks(exchange, invoke, answer.result);
  if (blocks.kind === "octets") return joined(GetDataResultList, blocks.octets);
  return Array.from({ length: count }, () => ({ kind: "dataAccessResult", dataAccessResult: blocks.result }) as const);
}

type Blocks =
  | { readonly kind: "octets"; readonly octets: Uint8Array }
  | { readonly kind: "refused"; readonly result: number };

/** Takes the first block and asks for the others; the number asked with is that of the block just received. */
async function remainingBlocks(exchange: Exchange, invokeIdAndPriority: number, first: DataBlockG): Promise<Blocks> {
  const assembly = new BlockAssembly();
  for (let block = first; ; ) {
    if (block.result.kind === "dataAccessResult") return { kind: "refused", result: block.result.dataAccessResult };
    assembly.take(block.blockNumber, block.result.rawData);
    if (block.lastBlock) return { kind: "octets", octets: assembly.whole() };
    const request = encode(GetRequest, { kind: "next", invokeIdAndPriority, blockNumber: block.blockNumber });
    const answer = await exchange.ask("GetResponse", invokeIdAndPriority, request);
    if (answer.kind === "normal" && answer.result.kind === "dataAccessResult")
      return { kind: "refused", result: answer.result.dataAccessResult };
    if (answer.kind !== "withDatablock") throw wrongForm("Get-Response-With-Datablock", answer.kind);
    block = answer.result;
  }
}

/** What the octets of all blocks hold. */
export function joined<T>(codec: Codec<T>, octets: Uint8Array): T {
  try {
    return decode(codec, octets);
  } catch (error) {
    throw conversationError(error);
  }
}
