import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext } from "../a-context.ts";
import { sameTitle } from "../ap-title.ts";
import { clearAnswer } from "../clear-message.ts";
import { RESPONSE_CONTROL, readPayload, SECURITY_MODE } from "../epsem.ts";
import { controlOf } from "../security/secured-apdu.ts";
import { decodeRequest } from "../services/request.ts";
import { identified } from "../services/response.ts";
import type { Delivery, ServerNode } from "./server-node.ts";

export interface CommunicationModuleOptions {
  /** Of the node that it speaks for. */
  readonly apTitle: string;
  readonly nextInvocationId: () => number;
}

/**
 * A communication module whose meter does not answer it: it holds no key, says who it is in clear, and is silent to all
 * that only the meter could answer.
 */
export function communicationModule({
  apTitle,
  nextInvocationId,
}: CommunicationModuleOptions): Pick<ServerNode, "receive"> {
  const serve = (octets: Uint8Array): Delivery | undefined => {
    const request = decode(AContext, octets);
    const { calledApTitle, calledApInvocationId, callingApTitle, userInformation } = request;
    if (calledApTitle === undefined || !sameTitle(calledApTitle, apTitle)) return undefined;
    if (callingApTitle === undefined || calledApInvocationId !== undefined) return undefined;
    const { securityMode, responseControl, edClassIncluded } = controlOf(request);
    if (securityMode !== SECURITY_MODE.cleartext || responseControl !== RESPONSE_CONTROL.always) return undefined;
    const { services } = readPayload(userInformation.octetAligned.subarray(1), edClassIncluded);
    const asked = services.map((service) => decodeRequest(service).service);
    if (asked.length !== 1 || asked[0] !== "identification") return undefined;
    const identification = identified(0, true);
    return {
      octets: clearAnswer(request, { from: apTitle, invocationId: nextInvocationId() }, [identification]),
      afterMs: 0,
    };
  };
  return {
    receive(octets) {
      try {
        return serve(octets);
      } catch (error) {
        if (error instanceof WireError) return undefined;
        throw error;
      }
    },
  };
}
