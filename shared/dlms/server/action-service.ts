import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { ActionRequest } from "../action-request.ts";
import { ActionResponse, ActionResponseList, ActionResponseWithOptionalData } from "../action-response.ts";
import type { CosemMethodDescriptor } from "../cosem-attribute-descriptor.ts";
import { type Data, DataCodec } from "../data.ts";
import type { ACTION_RESULT } from "../data-access-result.ts";
import type { DataBlockSA } from "../data-block.ts";
import { ValueList } from "../set-request.ts";
import { blockOf, hasLastBeenSent, type IncomingBlocks, joined, type OutgoingBlocks, opened, taken } from "./blocks.ts";
import { actionResult, invokeMethod } from "./cosem-object.ts";
import { blockSize, NOT_NEGOTIATED, type NotNegotiated, offers, type ServiceContext } from "./service.ts";

interface Target {
  readonly list: boolean;
  readonly methods: readonly CosemMethodDescriptor[];
}

const refusal = (invokeIdAndPriority: number, why: keyof typeof ACTION_RESULT): Uint8Array =>
  encode(ActionResponse, { kind: "normal", invokeIdAndPriority, singleResponse: actionResult(why) });

/** ACTION of one association: normal, with-list, parameters and answers in blocks. */
export class ActionService {
  #incoming: IncomingBlocks<Target> | undefined;
  #outgoing: OutgoingBlocks | undefined;

  abort(): void {
    this.#incoming = undefined;
    this.#outgoing = undefined;
  }

  handle(request: ActionRequest, context: ServiceContext): Uint8Array | NotNegotiated {
    if (!offers(context, "action")) return NOT_NEGOTIATED;
    const { invokeIdAndPriority } = request;
    switch (request.kind) {
      case "normal":
        this.abort();
        return this.#single(
          invokeIdAndPriority,
          invokeMethod(context.objects, request.cosemMethodDescriptor, request.methodInvocationParameters),
          context,
        );
      case "withList":
        this.abort();
        if (!offers(context, "multiple-references")) return NOT_NEGOTIATED;
        return this.#list(
          invokeIdAndPriority,
          request.cosemMethodDescriptorList,
          request.methodInvocationParameters,
          context,
        );
      case "nextPblock":
        return offers(context, "block-transfer-with-action")
          ? this.#next(invokeIdAndPriority, request.blockNumber)
          : NOT_NEGOTIATED;
      case "withFirstPblock":
      case "withListAndFirstPblock": {
        if (!offers(context, "block-transfer-with-action")) return NOT_NEGOTIATED;
        const list = request.kind === "withListAndFirstPblock";
        if (list && !offers(context, "multiple-references")) return NOT_NEGOTIATED;
        this.#incoming = opened({
          list,
          methods:
            request.kind === "withListAndFirstPblock"
              ? request.cosemMethodDescriptorList
              : [request.cosemMethodDescriptor],
        });
        return this.#block(invokeIdAndPriority, request.pBlock, context);
      }
      case "withPblock":
        return offers(context, "block-transfer-with-action")
          ? this.#block(invokeIdAndPriority, request.pBlock, context)
          : NOT_NEGOTIATED;
    }
  }

  #block(invokeIdAndPriority: number, block: DataBlockSA, context: ServiceContext): Uint8Array {
    const before = this.#incoming;
    this.abort();
    if (before === undefined) return refusal(invokeIdAndPriority, "no-long-action-in-progress");
    const incoming = taken(before, block.blockNumber, block.rawData);
    if (incoming === undefined) return refusal(invokeIdAndPriority, "long-action-aborted");
    if (!block.lastBlock) {
      this.#incoming = incoming;
      return encode(ActionResponse, { kind: "nextPblock", invokeIdAndPriority, blockNumber: block.blockNumber });
    }
    const { list, methods } = incoming.target;
    let values: readonly Data[];
    try {
      values = list ? decode(ValueList, joined(incoming)) : [decode(DataCodec, joined(incoming))];
    } catch (error) {
      if (error instanceof WireError) return refusal(invokeIdAndPriority, "type-unmatched");
      throw error;
    }
    if (list) return this.#list(invokeIdAndPriority, methods, values, context);
    const [method] = methods;
    if (method === undefined) return refusal(invokeIdAndPriority, "object-undefined");
    return this.#single(invokeIdAndPriority, invokeMethod(context.objects, method, values[0]), context);
  }

  #single(invokeIdAndPriority: number, response: ActionResponseWithOptionalData, context: ServiceContext): Uint8Array {
    const whole = encode(ActionResponse, { kind: "normal", invokeIdAndPriority, singleResponse: response });
    if (whole.length <= context.answerMax) return whole;
    return this.#inBlocks(invokeIdAndPriority, encode(ActionResponseWithOptionalData, response), context);
  }

  #list(
    invokeIdAndPriority: number,
    methods: readonly CosemMethodDescriptor[],
    parameters: readonly Data[],
    context: ServiceContext,
  ): Uint8Array {
    const responses = methods.map((method, index) =>
      parameters[index] === undefined
        ? actionResult("type-unmatched")
        : invokeMethod(context.objects, method, parameters[index]),
    );
    const whole = encode(ActionResponse, { kind: "withList", invokeIdAndPriority, listOfResponses: responses });
    if (whole.length <= context.answerMax) return whole;
    return this.#inBlocks(invokeIdAndPriority, encode(ActionResponseList, responses), context);
  }

  #inBlocks(invokeIdAndPriority: number, octets: Uint8Array, context: ServiceContext): Uint8Array {
    if (!offers(context, "block-transfer-with-action")) return refusal(invokeIdAndPriority, "other-reason");
    return this.#send(invokeIdAndPriority, { octets, size: blockSize(context), sent: 0 });
  }

  #next(invokeIdAndPriority: number, blockNumber: number): Uint8Array {
    const outgoing = this.#outgoing;
    if (outgoing?.sent === blockNumber) return this.#send(invokeIdAndPriority, outgoing);
    this.abort();
    return refusal(invokeIdAndPriority, outgoing === undefined ? "no-long-action-in-progress" : "long-action-aborted");
  }

  #send(invokeIdAndPriority: number, before: OutgoingBlocks): Uint8Array {
    const outgoing = { ...before, sent: before.sent + 1 };
    const lastBlock = hasLastBeenSent(outgoing);
    this.#outgoing = lastBlock ? undefined : outgoing;
    return encode(ActionResponse, {
      kind: "withPblock",
      invokeIdAndPriority,
      pBlock: { lastBlock, blockNumber: outgoing.sent, rawData: blockOf(outgoing) },
    });
  }
}
