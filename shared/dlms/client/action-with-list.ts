import { SessionError } from "../../metering/failure.ts";
import { encode } from "../../wire/codec.ts";
import { ActionRequest } from "../action-request.ts";
import { ActionResponseList, type ActionResponseWithOptionalData } from "../action-response.ts";
import type { CosemMethodDescriptor } from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import { ValueList } from "../set-request.ts";
import { action, octetsInBlocks } from "./action.ts";
import { blocksOf } from "./block-assembly.ts";
import { type Exchange, wrongForm } from "./exchange.ts";
import { joined } from "./get.ts";
import { APDU_HEAD, BLOCK_HEAD, checkAcknowledged } from "./set.ts";
import { counted } from "./set-with-list.ts";

/** A method with its parameters. */
export interface MethodCall {
  readonly cosemMethodDescriptor: CosemMethodDescriptor;
  readonly parameters: Data;
}

/**
 * Calls several methods in one request, parameters and answers in blocks where they are long; one answer for each, in
 * order. Where the association offers no lists they are called one by one. Throws `SessionError`.
 */
export async function actionWithList(
  exchange: Exchange,
  calls: readonly MethodCall[],
): Promise<readonly ActionResponseWithOptionalData[]> {
  exchange.require("action");
  if (calls.length < 2 || !exchange.offers("multiple-references")) {
    const answers: ActionResponseWithOptionalData[] = [];
    for (const { cosemMethodDescriptor, parameters } of calls)
      answers.push(await action(exchange, cosemMethodDescriptor, parameters));
    return answers;
  }
  const invokeIdAndPriority = exchange.nextInvoke();
  const cosemMethodDescriptorList = calls.map(({ cosemMethodDescriptor }) => cosemMethodDescriptor);
  const methodInvocationParameters = calls.map(({ parameters }) => parameters);
  const head = { invokeIdAndPriority, cosemMethodDescriptorList };
  const whole = encode(ActionRequest, { kind: "withList", ...head, methodInvocationParameters });
  if (whole.length <= exchange.requestMax)
    return answersOf(
      exchange,
      invokeIdAndPriority,
      await exchange.ask("ActionResponse", invokeIdAndPriority, whole),
      calls.length,
    );
  exchange.require("block-transfer-with-action");
  const octets = encode(ValueList, methodInvocationParameters);
  const first = exchange.requestMax - (whole.length - octets.length) - BLOCK_HEAD;
  if (first < 1)
    throw new SessionError("unsupported", "dlms.list-too-long", "the references alone do not fit the meter's APDU", {
      detail: { items: calls.length },
    });
  for (const pBlock of blocksOf(octets, first, exchange.requestMax - APDU_HEAD - BLOCK_HEAD)) {
    const request = encode(
      ActionRequest,
      pBlock.blockNumber === 1
        ? { kind: "withListAndFirstPblock", ...head, pBlock }
        : { kind: "withPblock", invokeIdAndPriority, pBlock },
    );
    const answer = await exchange.ask("ActionResponse", invokeIdAndPriority, request);
    if (pBlock.lastBlock || answer.kind !== "nextPblock")
      return answersOf(exchange, invokeIdAndPriority, answer, calls.length);
    checkAcknowledged(pBlock.blockNumber, answer.blockNumber);
  }
  throw wrongForm("Action-Response-With-List", "none");
}

type Answer = Awaited<ReturnType<typeof Exchange.prototype.ask<"ActionResponse">>>;
async function answersOf(
  exchange: Exchange,
  invoke: number,
  answer: Answer,
  count: number,
): Promise<readonly ActionResponseWithOptionalData[]> {
  if (answer.kind === "withList") return counted(answer.listOfResponses, count);
  if (answer.kind === "normal" && answer.singleResponse.result !== 0)
    return Array.from({ length: count }, () => answer.singleResponse);
  if (answer.kind !== "withPblock") throw wrongForm("Action-Response-With-List", answer.kind);
  const found = await octetsInBlocks(exchange, invoke, answer.pBlock);
  if (!(found instanceof Uint8Array)) return Array.from({ length: count }, () => found);
  return counted(joined(ActionResponseList, found), count);
}
