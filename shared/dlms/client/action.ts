import { encode } from "../../wire/codec.ts";
import { ActionRequest } from "../action-request.ts";
import { ActionResponseWithOptionalData } from "../action-response.ts";
import type { CosemMethodDescriptor } from "../cosem-attribute-descriptor.ts";
import { type Data, DataCodec } from "../data.ts";
import { ACTION_RESULT } from "../data-access-result.ts";
import type { DataBlockSA } from "../data-block.ts";
import { BlockAssembly, blocksOf } from "./block-assembly.ts";
import { type Exchange, wrongForm } from "./exchange.ts";
import { joined } from "./get.ts";
import { APDU_HEAD, BLOCK_HEAD, checkAcknowledged } from "./set.ts";

type Answer = Awaited<ReturnType<typeof Exchange.prototype.ask<"ActionResponse">>>;

/** Calls a method, with blocks either way where needed. A refusal is in the result; throws `SessionError`. */
export async function action(
  exchange: Exchange,
  cosemMethodDescriptor: CosemMethodDescriptor,
  parameters?: Data,
): Promise<ActionResponseWithOptionalData> {
  exchange.require("action");
  const invokeIdAndPriority = exchange.nextInvoke();
  const request = encode(ActionRequest, {
    kind: "normal",
    invokeIdAndPriority,
    cosemMethodDescriptor,
    methodInvocationParameters: parameters,
  });
  const answer =
    request.length <= exchange.requestMax || parameters === undefined
      ? await exchange.ask("ActionResponse", invokeIdAndPriority, request)
      : await sendBlocks(exchange, invokeIdAndPriority, cosemMethodDescriptor, parameters, request.length);
  if (answer.kind === "normal") return answer.singleResponse;
  if (answer.kind !== "withPblock") throw wrongForm("Action-Response-Normal", answer.kind);
  return receiveBlocks(exchange, invokeIdAndPriority, answer.pBlock);
}

async function sendBlocks(
  exchange: Exchange,
  invokeIdAndPriority: number,
  cosemMethodDescriptor: CosemMethodDescriptor,
  parameters: Data,
  wholeLength: number,
): Promise<Answer> {
  exchange.require("block-transfer-with-action");
  const octets = encode(DataCodec, parameters);
  const first = exchange.requestMax - (wholeLength - octets.length) - BLOCK_HEAD;
  const other = exchange.requestMax - APDU_HEAD - BLOCK_HEAD;
  for (const pBlock of blocksOf(octets, Math.max(1, first), other)) {
    const request = encode(
      ActionRequest,
      pBlock.blockNumber === 1
        ? { kind: "withFirstPblock", invokeIdAndPriority, cosemMethodDescriptor, pBlock }
        : { kind: "withPblock", invokeIdAndPriority, pBlock },
    );
    const answer = await exchange.ask("ActionResponse", invokeIdAndPriority, request);
    if (answer.kind !== "nextPblock" || pBlock.lastBlock) return answer;
    checkAcknowledged(pBlock.blockNumber, answer.blockNumber);
  }
  throw wrongForm("Action-Response-Normal", "none");
}

/**
 * What the blocks of an answer join to: Action-Response-With-Optional-Data, or, as a public peer implementation has it,
 * the return parameters alone, since blocks come only with success (docs/standards.md, unverified). The two cannot be
 * mistaken: the result success is 0, and a `Data` that begins with 0 is one octet.
 */
export function responseInBlocks(octets: Uint8Array): ActionResponseWithOptionalData {
  if (octets[0] === ACTION_RESULT.success && octets.length > 1) return joined(ActionResponseWithOptionalData, octets);
  return { result: ACTION_RESULT.success, returnParameters: { kind: "data", data: joined(DataCodec, octets) } };
}

async function receiveBlocks(
  exchange: Exchange,
  invokeIdAndPriority: number,
  first: DataBlockSA,
): Promise<ActionResponseWithOptionalData> {
  const found = await octetsInBlocks(exchange, invokeIdAndPriority, first);
  return found instanceof Uint8Array ? responseInBlocks(found) : found;
}

/** What the blocks of an answer join to, or the answer with which the meter ended them. */
export async function octetsInBlocks(
  exchange: Exchange,
  invokeIdAndPriority: number,
  first: DataBlockSA,
): Promise<Uint8Array | ActionResponseWithOptionalData> {
  const assembly = new BlockAssembly();
  for (let block = first; ; ) {
    assembly.take(block.blockNumber, block.rawData);
    if (block.lastBlock) return assembly.whole();
    const request = encode(ActionRequest, { kind: "nextPblock", invokeIdAndPriority, blockNumber: block.blockNumber });
    const answer = await exchange.ask("ActionResponse", invokeIdAndPriority, request);
    if (answer.kind === "normal") return answer.singleResponse;
    if (answer.kind !== "withPblock") throw wrongForm("Action-Response-With-Pblock", answer.kind);
    block = answer.pBlock;
  }
}
