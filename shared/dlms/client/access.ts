import { SessionError } from "../../metering/failure.ts";
import { encode } from "../../wire/codec.ts";
import { AccessRequest } from "../access-request.ts";
import type {
  CosemAttributeDescriptor,
  CosemMethodDescriptor,
  SelectiveAccessDescriptor,
} from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import { LONG_INVOKE } from "../long-invoke-id.ts";
import { type Exchange, wrongForm } from "./exchange.ts";
import { counted } from "./set-with-list.ts";

/** One part of an ACCESS request. */
export type AccessCall =
  | {
      readonly kind: "get";
      readonly attribute: CosemAttributeDescriptor;
      readonly selection?: SelectiveAccessDescriptor;
    }
  | {
      readonly kind: "set";
      readonly attribute: CosemAttributeDescriptor;
      readonly selection?: SelectiveAccessDescriptor;
      readonly value: Data;
    }
  | { readonly kind: "action"; readonly method: CosemMethodDescriptor; readonly parameters?: Data };

/** Data-Access-Result or Action-Result of one part, and what it gave; null-data where it gave nothing. */
export interface AccessAnswer {
  readonly result: number;
  readonly data: Data;
}

const NULL: Data = { type: "null-data", value: null };
const NOTHING = new Uint8Array(0);
type Specification = AccessRequest["accessRequestSpecification"][number];

function specificationOf(call: AccessCall): Specification {
  if (call.kind === "action") return { kind: "action", cosemMethodDescriptor: call.method };
  const { kind, attribute: cosemAttributeDescriptor, selection: accessSelection } = call;
  if (accessSelection === undefined) return { kind, cosemAttributeDescriptor };
  return { kind: kind === "get" ? "getWithSelection" : "setWithSelection", cosemAttributeDescriptor, accessSelection };
}
const dataOf = (call: AccessCall): Data =>
  call.kind === "get" ? NULL : call.kind === "set" ? call.value : (call.parameters ?? NULL);

/**
 * Reads, writes and calls in one request; one answer for each part, in order. `breakOnError`: the meter does nothing
 * after the first part that fails. Throws `SessionError`.
 */
export async function access(
  exchange: Exchange,
  calls: readonly AccessCall[],
  { breakOnError = false }: { readonly breakOnError?: boolean } = {},
): Promise<readonly AccessAnswer[]> {
  exchange.require("access");
  const specifications = calls.map(specificationOf);
  const longInvokeIdAndPriority =
    (exchange.nextLongInvoke() | LONG_INVOKE.confirmed | (breakOnError ? LONG_INVOKE.breakOnError : 0)) >>> 0;
  const request = encode(AccessRequest, {
    longInvokeIdAndPriority,
    dateTime: NOTHING,
    accessRequestSpecification: specifications,
    accessRequestListOfData: calls.map(dataOf),
  });
  if (request.length > exchange.requestMax)
    throw new SessionError("unsupported", "dlms.request-too-long", "the request does not fit the meter's APDU", {
      detail: { octets: request.length, most: exchange.requestMax },
    });
  const answer = await exchange.askAccess(longInvokeIdAndPriority, request);
  const data = counted(answer.accessResponseListOfData, calls.length);
  const results = counted(answer.accessResponseSpecification, calls.length);
  return calls.map((call, index) => {
    const found = results[index];
    if (found?.kind !== call.kind) throw wrongForm(`an Access-Response to ${call.kind}`, found?.kind ?? "none");
    return { result: found.result, data: data[index] ?? NULL };
  });
}
