import { assert } from "../../ports/errors.ts";
import { encode } from "../../wire/codec.ts";
import { DataCodec } from "../data.ts";
import { DATA_ACCESS_RESULT } from "../data-access-result.ts";
import type { GetRequest } from "../get-request.ts";
import { GetDataResultList, GetResponse } from "../get-response.ts";
import { blockOf, hasLastBeenSent, type OutgoingBlocks } from "./blocks.ts";
import { getAttribute, refusedGet } from "./cosem-object.ts";
import { blockSize, NOT_NEGOTIATED, type NotNegotiated, offers, type ServiceContext } from "./service.ts";

type RequestOf<K extends GetRequest["kind"]> = Extract<GetRequest, { kind: K }>;

/** GET of one association: normal, with-list, and an answer in blocks. */
export class GetService {
  #outgoing: OutgoingBlocks | undefined;

  /** True while blocks of an answer wait to be asked for. */
  get inProgress(): boolean {
    return this.#outgoing !== undefined;
  }

  /** Any other request ends a block transfer. */
  abort(): void {
    this.#outgoing = undefined;
  }

  handle(request: GetRequest, context: ServiceContext): Uint8Array | NotNegotiated {
    if (!offers(context, "get")) return NOT_NEGOTIATED;
    switch (request.kind) {
      case "normal":
        return this.#normal(request, context);
      case "withList":
        return offers(context, "multiple-references") ? this.#withList(request, context) : NOT_NEGOTIATED;
      case "next":
        return offers(context, "block-transfer-with-get-or-read") ? this.#next(request) : NOT_NEGOTIATED;
    }
  }

  #normal(request: RequestOf<"normal">, context: ServiceContext): Uint8Array {
    this.abort();
    const { invokeIdAndPriority, accessSelection } = request;
    const result =
      accessSelection !== undefined && !offers(context, "selective-access")
        ? refusedGet("scope-of-access-violated")
        : getAttribute(
            context.objects,
            request.cosemAttributeDescriptor,
            accessSelection,
            offers(context, "delta-value-encoding"),
          );
    const whole = encode(GetResponse, { kind: "normal", invokeIdAndPriority, result });
    if (whole.length <= context.answerMax) return whole;
    assert(result.kind === "data", "a refusal fits any APDU");
    return this.#inBlocks(invokeIdAndPriority, encode(DataCodec, result.data), context);
  }

  #withList(request: RequestOf<"withList">, context: ServiceContext): Uint8Array {
    this.abort();
    const { invokeIdAndPriority } = request;
    const result = request.attributeDescriptorList.map(({ cosemAttributeDescriptor, accessSelection }) =>
      accessSelection !== undefined && !offers(context, "selective-access")
        ? refusedGet("scope-of-access-violated")
        : getAttribute(
            context.objects,
            cosemAttributeDescriptor,
            accessSelection,
            offers(context, "delta-value-encoding"),
          ),
    );
    const whole = encode(GetResponse, { kind: "withList", invokeIdAndPriority, result });
    if (whole.length <= context.answerMax) return whole;
    return this.#inBlocks(invokeIdAndPriority, encode(GetDataResultList, result), context);
  }

  #inBlocks(invokeIdAndPriority: number, octets: Uint8Array, context: ServiceContext): Uint8Array {
    if (!offers(context, "block-transfer-with-get-or-read"))
      return encode(GetResponse, { kind: "normal", invokeIdAndPriority, result: refusedGet("other-reason") });
    this.#outgoing = { octets, size: blockSize(context), sent: 0 };
    return this.#block(invokeIdAndPriority, this.#outgoing);
  }

  #next({ invokeIdAndPriority, blockNumber }: RequestOf<"next">): Uint8Array {
    const outgoing = this.#outgoing;
    if (outgoing?.sent === blockNumber) return this.#block(invokeIdAndPriority, outgoing);
    this.abort();
    const why = outgoing === undefined ? "no-long-get-in-progress" : "data-block-number-invalid";
    return encode(GetResponse, {
      kind: "withDatablock",
      invokeIdAndPriority,
      result: {
        lastBlock: true,
        blockNumber,
        result: { kind: "dataAccessResult", dataAccessResult: DATA_ACCESS_RESULT[why] },
      },
    });
  }

  #block(invokeIdAndPriority: number, before: OutgoingBlocks): Uint8Array {
    const outgoing = { ...before, sent: before.sent + 1 };
    const lastBlock = hasLastBeenSent(outgoing);
    this.#outgoing = lastBlock ? undefined : outgoing;
    return encode(GetResponse, {
      kind: "withDatablock",
      invokeIdAndPriority,
      result: {
        lastBlock,
        blockNumber: outgoing.sent,
        result: { kind: "rawData", rawData: blockOf(outgoing) },
      },
    });
  }
}
