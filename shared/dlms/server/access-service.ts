import { encode } from "../../wire/codec.ts";
import { type AccessRequest, AccessResponse } from "../access-request.ts";
import type { Data } from "../data.ts";
import { ACTION_RESULT, DATA_ACCESS_RESULT } from "../data-access-result.ts";
import { LONG_INVOKE } from "../long-invoke-id.ts";
import { getAttribute, invokeMethod, setAttribute } from "./cosem-object.ts";
import { NOT_NEGOTIATED, type NotNegotiated, offers, type ServiceContext } from "./service.ts";

type Specification = AccessRequest["accessRequestSpecification"][number];
type Result = AccessResponse["accessResponseSpecification"][number];
interface Done {
  readonly specification: Result;
  readonly data: Data;
}

const NULL: Data = { type: "null-data", value: null };
const OTHER = { get: DATA_ACCESS_RESULT["other-reason"], action: ACTION_RESULT["other-reason"] } as const;
const kindOf = ({ kind }: Specification): Result["kind"] =>
  kind === "action" ? "action" : kind === "get" || kind === "getWithSelection" ? "get" : "set";
const done = (kind: Result["kind"], result: number, data: Data = NULL): Done => ({
  specification: { kind, result },
  data,
});

function perform(specification: Specification, value: Data | undefined, context: ServiceContext): Done {
  const { objects } = context;
  const kind = kindOf(specification);
  if (value === undefined) return done(kind, DATA_ACCESS_RESULT["type-unmatched"]);
  if (specification.kind === "action") {
    const { cosemMethodDescriptor } = specification;
    const answer = invokeMethod(objects, cosemMethodDescriptor, value.type === "null-data" ? undefined : value);
    const returned = answer.returnParameters;
    return done(kind, answer.result, returned?.kind === "data" ? returned.data : NULL);
  }
  const { cosemAttributeDescriptor } = specification;
  const selection = "accessSelection" in specification ? specification.accessSelection : undefined;
  if (kind === "set") return done(kind, setAttribute(objects, cosemAttributeDescriptor, selection, value));
  const found = getAttribute(objects, cosemAttributeDescriptor, selection, offers(context, "delta-value-encoding"));
  return found.kind === "data"
    ? done(kind, DATA_ACCESS_RESULT.success, found.data)
    : done(kind, found.dataAccessResult);
}

/** ACCESS: parts in order; under break-on-error what follows the first failure is left undone. */
export function accessService(
  request: AccessRequest,
  context: ServiceContext,
): Uint8Array | NotNegotiated | "too-long" | "malformed" {
  if (!offers(context, "access")) return NOT_NEGOTIATED;
  const { accessRequestSpecification, accessRequestListOfData, longInvokeIdAndPriority } = request;
  if (accessRequestSpecification.length !== accessRequestListOfData.length) return "malformed";
  const breaks = (longInvokeIdAndPriority & LONG_INVOKE.breakOnError) !== 0;
  let failed = false;
  const parts = accessRequestSpecification.map((specification, index): Done => {
    if (failed && breaks)
      return done(kindOf(specification), OTHER[kindOf(specification) === "action" ? "action" : "get"]);
    const part = perform(specification, accessRequestListOfData[index], context);
    failed ||= part.specification.result !== 0;
    return part;
  });
  const octets = encode(AccessResponse, {
    longInvokeIdAndPriority,
    dateTime: new Uint8Array(0),
    accessRequestSpecification: undefined,
    accessResponseListOfData: parts.map(({ data }) => data),
    accessResponseSpecification: parts.map(({ specification }) => specification),
  });
  return octets.length <= context.answerMax ? octets : "too-long";
}
