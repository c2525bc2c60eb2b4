import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { CosemAttributeDescriptorWithSelection } from "../cosem-attribute-descriptor.ts";
import { type Data, DataCodec } from "../data.ts";
import { DATA_ACCESS_RESULT } from "../data-access-result.ts";
import { type SetRequest, ValueList } from "../set-request.ts";
import { SetResponse } from "../set-response.ts";
import { type IncomingBlocks, joined, opened, taken } from "./blocks.ts";
import { setAttribute } from "./cosem-object.ts";
import { NOT_NEGOTIATED, type NotNegotiated, offers, type ServiceContext } from "./service.ts";

interface Target {
  readonly list: boolean;
  readonly attributes: readonly CosemAttributeDescriptorWithSelection[];
}
type Block = Extract<SetRequest, { kind: "withDatablock" }>["datablock"];

const apply = (context: ServiceContext, target: Target, values: readonly Data[]): readonly number[] =>
  target.attributes.map(({ cosemAttributeDescriptor, accessSelection }, index) => {
    const value = values[index];
    return value === undefined
      ? DATA_ACCESS_RESULT["type-unmatched"]
      : setAttribute(context.objects, cosemAttributeDescriptor, accessSelection, value);
  });

/** SET of one association: normal, with-list, and a value that comes in blocks. */
export class SetService {
  #incoming: IncomingBlocks<Target> | undefined;

  abort(): void {
    this.#incoming = undefined;
  }

  handle(request: SetRequest, context: ServiceContext): Uint8Array | NotNegotiated {
    if (!offers(context, "set")) return NOT_NEGOTIATED;
    const { invokeIdAndPriority } = request;
    if (request.kind === "normal") {
      this.abort();
      const { cosemAttributeDescriptor, accessSelection, value } = request;
      const result = setAttribute(context.objects, cosemAttributeDescriptor, accessSelection, value);
      return encode(SetResponse, { kind: "normal", invokeIdAndPriority, result });
    }
    if (request.kind === "withList") {
      this.abort();
      if (!offers(context, "multiple-references")) return NOT_NEGOTIATED;
      const target = { list: true, attributes: request.attributeDescriptorList };
      const result = apply(context, target, request.valueList);
      return encode(SetResponse, { kind: "withList", invokeIdAndPriority, result });
    }
    if (!offers(context, "block-transfer-with-set-or-write")) return NOT_NEGOTIATED;
    if (request.kind === "withDatablock") return this.#block(invokeIdAndPriority, request.datablock, context);
    if (request.kind === "withListAndFirstDatablock" && !offers(context, "multiple-references")) return NOT_NEGOTIATED;
    this.#incoming = opened(
      request.kind === "withFirstDatablock"
        ? { list: false, attributes: [request] }
        : { list: true, attributes: request.attributeDescriptorList },
    );
    return this.#block(invokeIdAndPriority, request.datablock, context);
  }

  #block(invokeIdAndPriority: number, { lastBlock, blockNumber, rawData }: Block, context: ServiceContext): Uint8Array {
    const before = this.#incoming;
    this.abort();
    const refuse = (why: keyof typeof DATA_ACCESS_RESULT): Uint8Array =>
      encode(SetResponse, { kind: "lastDatablock", invokeIdAndPriority, result: DATA_ACCESS_RESULT[why], blockNumber });
    if (before === undefined) return refuse("no-long-set-in-progress");
    const incoming = taken(before, blockNumber, rawData);
    if (incoming === undefined) return refuse("data-block-number-invalid");
    if (!lastBlock) {
      this.#incoming = incoming;
      return encode(SetResponse, { kind: "datablock", invokeIdAndPriority, blockNumber });
    }
    try {
      const { target } = incoming;
      const octets = joined(incoming);
      const result = apply(context, target, target.list ? decode(ValueList, octets) : [decode(DataCodec, octets)]);
      if (target.list)
        return encode(SetResponse, { kind: "lastDatablockWithList", invokeIdAndPriority, result, blockNumber });
      const [only = DATA_ACCESS_RESULT["other-reason"]] = result;
      return encode(SetResponse, { kind: "lastDatablock", invokeIdAndPriority, result: only, blockNumber });
    } catch (error) {
      if (error instanceof WireError) return refuse("type-unmatched"); // the blocks joined to something that is no value
      throw error;
    }
  }
}
