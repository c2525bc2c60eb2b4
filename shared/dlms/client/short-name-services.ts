import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { ActionResponseWithOptionalData } from "../action-response.ts";
import type {
  CosemAttributeDescriptorWithSelection,
  CosemMethodDescriptor,
  SelectiveAccessDescriptor,
} from "../cosem-attribute-descriptor.ts";
import { type Data, DataCodec } from "../data.ts";
import { DATA_ACCESS_RESULT } from "../data-access-result.ts";
import type { GetDataResult } from "../get-data-result.ts";
import { ReadRequest, ReadRequestContent } from "../read-request.ts";
import { type DataBlockResult, ReadResponseContent, type ReadResult } from "../read-response.ts";
import { attributeName, methodName } from "../short-name.ts";
import type { VariableAccessSpecification } from "../variable-access-specification.ts";
import { UnconfirmedWriteRequest, WriteRequest, WriteRequestContent } from "../write-request.ts";
import type { WriteResult } from "../write-response.ts";
import type { MethodCall } from "./action-with-list.ts";
import { conversationError } from "./apdu-link.ts";
import { BaseNames } from "./base-names.ts";
import { BlockAssembly, blocksOf } from "./block-assembly.ts";
import { type Exchange, wrongForm } from "./exchange.ts";
import { joined } from "./get.ts";
import type { Services } from "./services.ts";
import { checkAcknowledged } from "./set.ts";
import { type AttributeValue, counted } from "./set-with-list.ts";

/** Octets around the raw data of a block: tags, counts, choice, number, lengths. */
const BLOCK_HEAD = 14;
/** More would make one lost answer dear. */
const ITEMS_MAX = 32;
/** Selector of a method's parameters: it selects nothing (docs/standards.md). */
const METHOD_SELECTOR = 0;
/** Beyond every short name. */
const BEYOND = 0x1_0000;
const NULL: Data = { type: "null-data", value: null };

/** What one part of a request comes to: what is sent for it, or the Data-Access-Result that needs no asking. */
type Part = { readonly kind: "sent"; readonly specification: VariableAccessSpecification } | Refused;
interface Refused {
  readonly kind: "refused";
  readonly result: number;
}
const refused = (why: keyof typeof DATA_ACCESS_RESULT): Refused => ({
  kind: "refused",
  result: DATA_ACCESS_RESULT[why],
});

/** Read and Write by short names. A short name says no class, so the class asked for is held against the object list. */
export class ShortNameServices implements Services {
  readonly #exchange: Exchange;
  readonly #names: BaseNames;

  constructor(exchange: Exchange, fixed: DlmsProfile["dlms"]["baseNames"] = []) {
    this.#exchange = exchange;
    this.#names = new BaseNames(fixed, async (variableName) => {
      const [result] = await this.#readParts([{ kind: "variableName", variableName }]);
      return result as ReadResult;
    });
  }

  async read(items: readonly CosemAttributeDescriptorWithSelection[]): Promise<readonly GetDataResult[]> {
    this.#exchange.require("read");
    const parts: Part[] = [];
    for (const { cosemAttributeDescriptor: attribute, accessSelection } of items)
      parts.push(await this.#attribute(attribute, accessSelection));
    return (await this.#readAll(parts)).map(
      (found): GetDataResult =>
        typeof found === "number" ? { kind: "dataAccessResult", dataAccessResult: found } : found,
    );
  }

  async write(items: readonly AttributeValue[]): Promise<readonly number[]> {
    this.#exchange.require("write");
    const parts: Part[] = [];
    for (const { cosemAttributeDescriptor: attribute, accessSelection } of items)
      parts.push(await this.#attribute(attribute, accessSelection));
    const sent = parts.flatMap((part, index) =>
      part.kind === "sent" ? [{ ...part, data: (items[index] as AttributeValue).value }] : [],
    );
    const results: number[] = [];
    for (const group of this.#grouped(sent)) results.push(...(await this.#writeParts(group)));
    const rest = results.values();
    return parts.map((part) => (part.kind === "refused" ? part.result : (rest.next().value as number)));
  }

  /** Writes without an answer. */
  async writeUnconfirmed(items: readonly AttributeValue[]): Promise<void> {
    this.#exchange.require("unconfirmed-write");
    for (const { cosemAttributeDescriptor, accessSelection, value } of items) {
      const part = await this.#attribute(cosemAttributeDescriptor, accessSelection);
      if (part.kind === "refused") continue;
      const list = { variableAccessSpecification: [part.specification], listOfData: [value] };
      await this.#exchange.tell(encode(UnconfirmedWriteRequest, list));
    }
  }

  /** A method is read under its own name with its parameters: the answer is what it returns. */
  async invoke(calls: readonly MethodCall[]): Promise<readonly ActionResponseWithOptionalData[]> {
    this.#exchange.require("read");
    this.#exchange.require("parameterized-access");
    if (this.#exchange.agreement.readOnly === true)
      // the services are those that read, but a method is no reading
      throw new SessionError(
        "unsupported",
        "dlms.service-not-negotiated",
        "expected a session that is not for reading only",
      );
    const parts: Part[] = [];
    for (const { cosemMethodDescriptor, parameters } of calls)
      parts.push(await this.#method(cosemMethodDescriptor, parameters));
    return (await this.#readAll(parts)).map((found) =>
      typeof found === "number"
        ? { result: found, returnParameters: undefined }
        : { result: 0, returnParameters: found.data.type === "null-data" ? undefined : found },
    );
  }

  async #attribute(
    { classId, instanceId, attributeId }: CosemAttributeDescriptorWithSelection["cosemAttributeDescriptor"],
    selection: SelectiveAccessDescriptor | undefined,
  ): Promise<Part> {
    if (selection !== undefined) this.#exchange.require("parameterized-access");
    const object = await this.#names.find(instanceId);
    if (object === undefined) return refused("object-undefined");
    if (object.classId !== classId) return refused("object-class-inconsistent");
    const variableName = attributeName(object.baseName, object, attributeId);
    if (variableName === undefined || variableName >= (object.end ?? BEYOND)) return refused("object-undefined");
    if (selection === undefined) return { kind: "sent", specification: { kind: "variableName", variableName } };
    const { accessSelector: selector, accessParameters: parameter } = selection;
    return { kind: "sent", specification: { kind: "parameterizedAccess", variableName, selector, parameter } };
  }

  async #method({ classId, instanceId, methodId }: CosemMethodDescriptor, parameter: Data = NULL): Promise<Part> {
    const object = await this.#names.find(instanceId);
    if (object === undefined) return refused("object-undefined");
    if (object.classId !== classId) return refused("object-class-inconsistent");
    const variableName = methodName(object.baseName, object, methodId);
    if (variableName === undefined)
      throw new SessionError("unsupported", "dlms.method-name", "nobody has told where this class has its methods", {
        detail: { classId, version: object.version, methodId },
      });
    if (variableName >= (object.end ?? BEYOND)) return refused("object-undefined");
    return {
      kind: "sent",
      specification: { kind: "parameterizedAccess", variableName, selector: METHOD_SELECTOR, parameter },
    };
  }

  /** Data for each part, or its Data-Access-Result. */
  async #readAll(parts: readonly Part[]): Promise<readonly (Extract<ReadResult, { kind: "data" }> | number)[]> {
    const sent = parts.flatMap((part) => (part.kind === "sent" ? [part] : []));
    const results: ReadResult[] = [];
    for (const group of this.#grouped(sent))
      results.push(...(await this.#readParts(group.map(({ specification }) => specification))));
    const rest = results.values();
    return parts.map((part) => {
      if (part.kind === "refused") return part.result;
      const found = rest.next().value as ReadResult;
      if (found.kind === "data") return found;
      if (found.kind === "dataAccessError") return found.dataAccessError;
      throw wrongForm("data or data-access-error in a ReadResponse", found.kind);
    });
  }

  /** As many in one request as the association allows and as fit it; one that is too long goes alone, in blocks. */
  #grouped<T extends { readonly specification: VariableAccessSpecification; readonly data?: Data }>(
    parts: readonly T[],
  ): readonly (readonly T[])[] {
    const most = this.#exchange.offers("multiple-references") ? ITEMS_MAX : 1;
    const groups: T[][] = [];
    let room = 0;
    for (const part of parts) {
      const octets = octetsOf(part);
      const last = groups.at(-1);
      if (last !== undefined && last.length < most && octets <= room) {
        last.push(part);
        room -= octets;
      } else {
        groups.push([part]);
        room = this.#exchange.requestMax - BLOCK_HEAD - octets;
      }
    }
    return groups;
  }

  async #readParts(list: readonly VariableAccessSpecification[]): Promise<readonly ReadResult[]> {
    const { requestMax } = this.#exchange;
    const whole = encode(ReadRequest, { variableAccessSpecification: list });
    let answer =
      whole.length <= requestMax
        ? await this.#askRead(list)
        : await this.#readInBlocks(encode(ReadRequestContent, { variableAccessSpecification: list }));
    const [first] = answer;
    if (answer.length === 1 && first?.kind === "dataBlockResult")
      answer = await this.#remainingBlocks(first.dataBlockResult, list.length);
    const [only] = answer;
    // A meter that refuses the whole list refuses each of its items.
    if (answer.length === 1 && list.length > 1 && only?.kind === "dataAccessError") return list.map(() => only);
    return counted(answer, list.length);
  }

  async #askRead(list: readonly VariableAccessSpecification[]): Promise<readonly ReadResult[]> {
    const request = encode(ReadRequest, { variableAccessSpecification: list });
    return (await this.#exchange.askByShortName("ReadResponse", request)).result;
  }

  async #readInBlocks(octets: Uint8Array): Promise<readonly ReadResult[]> {
    this.#exchange.require("block-transfer-with-get-or-read");
    const size = this.#exchange.requestMax - BLOCK_HEAD;
    for (const block of blocksOf(octets, size, size)) {
      const answer = await this.#askRead([{ kind: "readDataBlockAccess", ...block }]);
      const [only] = answer;
      if (block.lastBlock || only?.kind !== "blockNumber") return answer;
      checkAcknowledged(block.blockNumber, only.blockNumber);
    }
    throw wrongForm("a ReadResponse to the last block", "none");
  }

  async #remainingBlocks(first: DataBlockResult, count: number): Promise<readonly ReadResult[]> {
    const assembly = new BlockAssembly();
    for (let block = first; ; ) {
      assembly.take(block.blockNumber, block.rawData);
      if (block.lastBlock) return resultsInBlocks(assembly.whole(), count);
      const answer = await this.#askRead([{ kind: "blockNumberAccess", blockNumber: block.blockNumber }]);
      const [next] = answer;
      if (answer.length === 1 && next?.kind === "dataAccessError") return Array.from({ length: count }, () => next);
      if (answer.length !== 1 || next?.kind !== "dataBlockResult")
        throw wrongForm("data-block-result", next?.kind ?? "none");
      block = next.dataBlockResult;
    }
  }

  async #writeParts(
    parts: readonly { readonly specification: VariableAccessSpecification; readonly data: Data }[],
  ): Promise<readonly number[]> {
    const content = {
      variableAccessSpecification: parts.map(({ specification }) => specification),
      listOfData: parts.map(({ data }) => data),
    };
    const whole = encode(WriteRequest, content);
    const answer =
      whole.length <= this.#exchange.requestMax
        ? (await this.#exchange.askByShortName("WriteResponse", whole)).result
        : await this.#writeInBlocks(encode(WriteRequestContent, content));
    const results = answer.map(outcomeOf);
    if (results.length === 1 && parts.length > 1 && results[0] !== 0) return parts.map(() => results[0] as number);
    return counted(results, parts.length);
  }

  async #writeInBlocks(octets: Uint8Array): Promise<readonly WriteResult[]> {
    this.#exchange.require("block-transfer-with-set-or-write");
    const size = this.#exchange.requestMax - BLOCK_HEAD;
    for (const { lastBlock, blockNumber, rawData } of blocksOf(octets, size, size)) {
      const request = encode(WriteRequest, {
        variableAccessSpecification: [{ kind: "writeDataBlockAccess", lastBlock, blockNumber }],
        listOfData: [{ type: "octet-string", value: rawData }],
      });
      const { result } = await this.#exchange.askByShortName("WriteResponse", request);
      const [only] = result;
      if (lastBlock || only?.kind !== "blockNumber") return result;
      checkAcknowledged(blockNumber, only.blockNumber);
    }
    throw wrongForm("a WriteResponse to the last block", "none");
  }
}

const octetsOf = ({ specification, data }: { specification: VariableAccessSpecification; data?: Data }): number =>
  (specification.kind === "parameterizedAccess" ? 4 + encode(DataCodec, specification.parameter).length : 3) +
  (data === undefined ? 0 : encode(DataCodec, data).length);

function outcomeOf(result: WriteResult): number {
  if (result.kind === "success") return DATA_ACCESS_RESULT.success;
  if (result.kind === "dataAccessError") return result.dataAccessError;
  throw wrongForm("success or data-access-error in a WriteResponse", result.kind);
}

/**
 * What the blocks of an answer join to: the list of results, or, as one public peer sends a single one, its data alone
 * (docs/standards.md, unverified). The two cannot be mistaken: a list of one begins 01 00 or 01 01 xx, and no array of
 * data does that is longer than a block.
 */
export function resultsInBlocks(octets: Uint8Array, count: number): readonly ReadResult[] {
  try {
    const { result } = decode(ReadResponseContent, octets);
    if (result.every(({ kind }) => kind === "data" || kind === "dataAccessError")) return result;
  } catch (error) {
    if (!(error instanceof WireError) || count !== 1) throw conversationError(error);
  }
  return [{ kind: "data", data: joined(DataCodec, octets) }];
}
