import { decode, encode } from "../../wire/codec.ts";
import type { ActionResponseWithOptionalData } from "../action-response.ts";
import {
  CONFIRMED_SERVICE,
  ConfirmedServiceError,
  SERVICE_ERROR_CATEGORY,
  SERVICE_ERROR_CODES,
} from "../confirmed-service-error.ts";
import type { SelectiveAccessDescriptor } from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import { DATA_ACCESS_RESULT } from "../data-access-result.ts";
import type { GetDataResult } from "../get-data-result.ts";
import { ASSOCIATION_SN_BASE_NAME, AssociationSn } from "../objects/association-sn.ts";
import { type ReadRequest, ReadRequestContent } from "../read-request.ts";
import { ReadResponse, ReadResponseContent, type ReadResult } from "../read-response.ts";
import { methodName } from "../short-name.ts";
import type { VariableAccessSpecification } from "../variable-access-specification.ts";
import { type WriteRequest, WriteRequestContent } from "../write-request.ts";
import { WriteResponse, type WriteResult } from "../write-response.ts";
import { blockOf, hasLastBeenSent, type IncomingBlocks, joined, type OutgoingBlocks, opened, taken } from "./blocks.ts";
import { getAttribute, invokeMethod, setAttribute } from "./cosem-object.ts";
import { decodedOr } from "./protection.ts";
import { blockSize, offers, type ServiceContext } from "./service.ts";
import type { Named, ShortNames } from "./short-names.ts";

export interface ShortNameContext extends ServiceContext {
  readonly names: ShortNames;
}
type Service = "read" | "write";

/** Selectors under which a method takes its parameters: public peers send the one or the other. */
const METHOD_SELECTORS: readonly number[] = [0, 1];
const REPLY_TO_HLS = methodName(
  ASSOCIATION_SN_BASE_NAME,
  AssociationSn,
  AssociationSn.methods.replyToHlsAuthentication.id,
);

/** The ConfirmedServiceError that refuses a whole request. */
export const serviceError = <C extends keyof typeof SERVICE_ERROR_CODES>(
  service: Service,
  category: C,
  code: keyof (typeof SERVICE_ERROR_CODES)[C],
): Uint8Array =>
  encode(ConfirmedServiceError, {
    confirmedServiceError: CONFIRMED_SERVICE[service],
    serviceError: SERVICE_ERROR_CATEGORY[category],
    value: SERVICE_ERROR_CODES[category][code] as number,
  });
const unsupported = (service: Service): Uint8Array => serviceError(service, "service", "service-unsupported");

/** Whether a request is the one that an association still waits for. */
export const isReplyToHlsByShortName = ({ variableAccessSpecification: [only, ...more] }: ReadRequest): boolean =>
  only?.kind === "parameterizedAccess" && only.variableName === REPLY_TO_HLS && more.length === 0;

/** Read, Write and UnconfirmedWrite of one association by short names: lists, and blocks both ways. */
export class ShortNameService {
  #outgoing: OutgoingBlocks | undefined;
  #incoming: IncomingBlocks<Service> | undefined;

  /** True while blocks of an answer wait to be asked for. */
  get inProgress(): boolean {
    return this.#outgoing !== undefined;
  }

  abort(): void {
    this.#outgoing = undefined;
    this.#incoming = undefined;
  }

  read({ variableAccessSpecification: list }: ReadRequest, context: ShortNameContext): Uint8Array {
    const [first] = list;
    if (!offers(context, "read")) return unsupported("read");
    if (list.length === 1 && first?.kind === "blockNumberAccess") return this.#next(first.blockNumber, context);
    if (list.length === 1 && first?.kind === "readDataBlockAccess") return this.#readBlock(first, context);
    this.abort();
    if (list.length === 0) return serviceError("read", "service", "other");
    if (list.length > 1 && !offers(context, "multiple-references")) return unsupported("read");
    return this.#answered(
      list.map((specification) => readResult(specification, context)),
      context,
    );
  }

  /** Writes one by one, as nobody asks what became of it. */
  writeUnconfirmed({ variableAccessSpecification: list, listOfData }: WriteRequest, context: ShortNameContext): void {
    this.abort();
    if (list.length > 1 && !offers(context, "multiple-references")) return;
    for (const [index, specification] of list.entries()) {
      const value = listOfData[index];
      if (value !== undefined) writeResult(specification, value, context);
    }
  }

  write({ variableAccessSpecification: list, listOfData }: WriteRequest, context: ShortNameContext): Uint8Array {
    const [first] = list;
    if (!offers(context, "write")) return unsupported("write");
    if (list.length === 1 && first?.kind === "writeDataBlockAccess") {
      const [data] = listOfData;
      if (listOfData.length !== 1 || data?.type !== "octet-string") return refusedWrite("type-unmatched");
      return this.#writeBlock({ ...first, rawData: data.value }, context);
    }
    this.abort();
    if (list.length === 0 || listOfData.length !== list.length) return serviceError("write", "service", "other");
    if (list.length > 1 && !offers(context, "multiple-references")) return unsupported("write");
    const result = list.map((specification, index) => writeResult(specification, listOfData[index] as Data, context));
    const whole = encode(WriteResponse, { result });
    return whole.length <= context.answerMax ? whole : serviceError("write", "service", "pdu-size");
  }

  #answered(result: readonly ReadResult[], context: ShortNameContext): Uint8Array {
    const whole = encode(ReadResponse, { result });
    if (whole.length <= context.answerMax) return whole;
    if (!offers(context, "block-transfer-with-get-or-read")) return serviceError("read", "service", "pdu-size");
    this.#outgoing = { octets: encode(ReadResponseContent, { result }), size: blockSize(context), sent: 0 };
    return this.#block(this.#outgoing);
  }

  #next(blockNumber: number, context: ShortNameContext): Uint8Array {
    if (!offers(context, "block-transfer-with-get-or-read")) return unsupported("read");
    const outgoing = this.#outgoing;
    if (outgoing?.sent === blockNumber) return this.#block(outgoing);
    this.abort();
    return refusedRead(outgoing === undefined ? "no-long-get-in-progress" : "data-block-number-invalid");
  }

  #block(before: OutgoingBlocks): Uint8Array {
    const outgoing = { ...before, sent: before.sent + 1 };
    const lastBlock = hasLastBeenSent(outgoing);
    this.#outgoing = lastBlock ? undefined : outgoing;
    const dataBlockResult = { lastBlock, blockNumber: outgoing.sent, rawData: blockOf(outgoing) };
    return encode(ReadResponse, { result: [{ kind: "dataBlockResult", dataBlockResult }] });
  }

  #readBlock(block: Block, context: ShortNameContext): Uint8Array {
    if (!offers(context, "block-transfer-with-get-or-read")) return unsupported("read");
    const whole = this.#take("read", block);
    if (whole === "refused") return refusedRead("data-block-number-invalid");
    if (whole === "more")
      return encode(ReadResponse, { result: [{ kind: "blockNumber", blockNumber: block.blockNumber }] });
    const request = decodedOr(() => decode(ReadRequestContent, whole));
    return request === undefined || request.variableAccessSpecification.some(isBlock)
      ? refusedRead("type-unmatched")
      : this.read(request, context);
  }

  #writeBlock(block: Block, context: ShortNameContext): Uint8Array {
    if (!offers(context, "block-transfer-with-set-or-write")) return unsupported("write");
    const whole = this.#take("write", block);
    if (whole === "refused") return refusedWrite("data-block-number-invalid");
    if (whole === "more")
      return encode(WriteResponse, { result: [{ kind: "blockNumber", blockNumber: block.blockNumber }] });
    const request = decodedOr(() => decode(WriteRequestContent, whole));
    return request === undefined || request.variableAccessSpecification.some(isBlock)
      ? refusedWrite("type-unmatched")
      : this.write(request, context);
  }

  #take(service: Service, { lastBlock, blockNumber, rawData }: Block): Uint8Array | "more" | "refused" {
    const before = blockNumber === 1 ? opened(service) : this.#incoming;
    this.abort();
    if (before?.target !== service) return "refused";
    const incoming = taken(before, blockNumber, rawData);
    if (incoming === undefined) return "refused";
    if (lastBlock) return joined(incoming);
    this.#incoming = incoming;
    return "more";
  }
}

interface Block {
  readonly lastBlock: boolean;
  readonly blockNumber: number;
  readonly rawData: Uint8Array;
}
const isBlock = ({ kind }: VariableAccessSpecification): boolean =>
  kind !== "variableName" && kind !== "parameterizedAccess";

const refusedRead = (why: keyof typeof DATA_ACCESS_RESULT): Uint8Array =>
  encode(ReadResponse, { result: [readError(DATA_ACCESS_RESULT[why])] });
const refusedWrite = (why: keyof typeof DATA_ACCESS_RESULT): Uint8Array =>
  encode(WriteResponse, { result: [writeOutcome(DATA_ACCESS_RESULT[why])] });
const readError = (dataAccessError: number): ReadResult => ({ kind: "dataAccessError", dataAccessError });
const writeOutcome = (result: number): WriteResult =>
  result === DATA_ACCESS_RESULT.success ? { kind: "success" } : { kind: "dataAccessError", dataAccessError: result };

/** The part named, with what parameterized access adds; or the Data-Access-Result that refuses it. */
function target(
  specification: VariableAccessSpecification,
  { names, conformance, objects, answerMax }: ShortNameContext,
): { readonly named: Named; readonly selection: SelectiveAccessDescriptor | undefined } | number {
  if (specification.kind !== "variableName" && specification.kind !== "parameterizedAccess")
    return DATA_ACCESS_RESULT["type-unmatched"];
  const named = names.named.get(specification.variableName);
  if (named === undefined) return DATA_ACCESS_RESULT["object-undefined"];
  if (specification.kind === "variableName") return { named, selection: undefined };
  const { selector: accessSelector, parameter: accessParameters } = specification;
  const offered = offers({ conformance, objects, answerMax }, "parameterized-access");
  if (!offered || (named.kind === "method" && !METHOD_SELECTORS.includes(accessSelector)))
    return DATA_ACCESS_RESULT["scope-of-access-violated"];
  return { named, selection: { accessSelector, accessParameters } };
}

const described = ({ object, id }: Named) => ({ classId: object.classId, instanceId: object.logicalName, id });

function readResult(specification: VariableAccessSpecification, context: ShortNameContext): ReadResult {
  const found = target(specification, context);
  if (typeof found === "number") return readError(found);
  const { named, selection } = found;
  const { id, ...object } = described(named);
  if (named.kind === "method")
    return ofAction(invokeMethod(context.objects, { ...object, methodId: id }, selection?.accessParameters));
  return ofGet(getAttribute(context.objects, { ...object, attributeId: id }, selection));
}
const ofGet = (result: GetDataResult): ReadResult =>
  result.kind === "data" ? result : readError(result.dataAccessResult);
const ofAction = ({ result, returnParameters }: ActionResponseWithOptionalData): ReadResult =>
  result !== 0
    ? readError(result)
    : ofGet(returnParameters ?? { kind: "data", data: { type: "null-data", value: null } });

function writeResult(specification: VariableAccessSpecification, value: Data, context: ShortNameContext): WriteResult {
  const found = target(specification, context);
  if (typeof found === "number") return writeOutcome(found);
  const { named, selection } = found;
  const { id, ...object } = described(named);
  if (named.kind === "attribute")
    return writeOutcome(setAttribute(context.objects, { ...object, attributeId: id }, selection, value));
  if (selection !== undefined) return writeOutcome(DATA_ACCESS_RESULT["scope-of-access-violated"]);
  return writeOutcome(invokeMethod(context.objects, { ...object, methodId: id }, value).result);
}
