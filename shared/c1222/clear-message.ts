import { type AContext, NO_ELEMENTS } from "./a-context.ts";
import { epsemControl, writePayload } from "./epsem.ts";
import { clearApdu } from "./security/secured-apdu.ts";
import { encodeRequest, type Request } from "./services/request.ts";
import { encodeResponse, type Response } from "./services/response.ts";

/** Invocation id of a node's own, in four octets: 31 bits, for their content is an INTEGER. */
export const invocationIdOctets = (id: number): Uint8Array =>
  Uint8Array.of((id >>> 24) & 0x7f, id >>> 16, id >>> 8, id);

/** An answer in clear to a request: titles swapped, under the request's id. `from`: who answers. */
export function clearAnswer(
  request: AContext,
  { from, invocationId }: { readonly from: string; readonly invocationId: number },
  responses: readonly Response[],
): Uint8Array {
  return clearApdu(
    {
      ...NO_ELEMENTS,
      calledApTitle: request.callingApTitle,
      calledApInvocationId: request.callingApInvocationId,
      callingApTitle: from,
      callingApInvocationId: invocationIdOctets(invocationId),
    },
    epsemControl({}),
    writePayload({ edClass: undefined, services: responses.map(encodeResponse) }),
  );
}

/** One request in clear, as communication modules send them that have no key. `edClass`: 4 octets. */
export function clearRequest(
  {
    from,
    to,
    invocationId,
    edClass,
  }: { readonly from: string; readonly to: string; readonly invocationId: number; readonly edClass?: Uint8Array },
  request: Request,
): Uint8Array {
  return clearApdu(
    {
      ...NO_ELEMENTS,
      calledApTitle: to,
      callingApTitle: from,
      callingApInvocationId: invocationIdOctets(invocationId),
    },
    epsemControl({ edClassIncluded: edClass !== undefined }),
    writePayload({ edClass, services: [encodeRequest(request)] }),
  );
}
