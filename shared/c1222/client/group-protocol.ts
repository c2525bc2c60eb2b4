import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import {
  GROUP_INVOCATION_ID_MAX,
  GROUP_INVOCATION_IDS,
  type GroupOperation,
  type GroupProtocol,
  type GroupRequest,
} from "../../metering/group.ts";
import type { DeviceProfile } from "../../metering/profile.ts";
import type { OperationResult } from "../../metering/result.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { Writer } from "../../wire/writer.ts";
import { AContext, NO_ELEMENTS, unsignedOf } from "../a-context.ts";
import { absoluteTitle } from "../ap-title.ts";
import { epsemControl, RESPONSE_CONTROL, writePayload } from "../epsem.ts";
import { securedApdu } from "../security/secured-apdu.ts";
import { encodeRequest, type Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { clockSetResult, setClockRequests, type TimeForm } from "./clock-message.ts";
import { enrolledKey, readyKey, SECURITY_MODES } from "./enrolled-key.ts";
import { conversationError } from "./exchange.ts";
import { readResult, readsOf } from "./one-message.ts";
import { openAnswer } from "./open-answer.ts";

type Profile = C1222Profile["c1222"];

const unsupported = (code: string, message: string): SessionError => new SessionError("unsupported", code, message);

function c1222Of(profile: DeviceProfile): Profile {
  if (profile.protocol !== "c1222" || profile.c1222.groups === undefined)
    throw unsupported("c1222.no-groups", `the model of profile ${profile.name} takes no requests to groups`);
  return profile.c1222;
}

const timeOf = ({ groups }: Profile): TimeForm => {
  if (groups?.time === undefined)
    throw unsupported("c1222.no-group-time", "the device profile does not say how members of a group take time");
  return groups.time;
};

/** The services of a request: what is not listed here has no way to a group. */
function servicesOf(profile: Profile, request: GroupRequest): readonly Request[] {
  const { operation } = request;
  switch (operation.kind) {
    case "readRegisters":
    case "readVoltage":
    case "readIntervals":
      return readsOf(profile, operation);
    case "setClock":
      return setClockRequests(profile, timeOf(profile), request);
    case "imageBlock": {
      const tableId = profile.groups?.imageTable;
      if (tableId === undefined)
        throw unsupported("c1222.no-group-image", "the device profile names no table for blocks of images");
      return [{ service: "partialWriteOffset", tableId, offset: operation.offset, data: operation.octets }];
    }
    default: {
      const { kind } = operation as { readonly kind: string };
      throw new SessionError("unsafe", "group.operation", `a group's key does not authorise ${kind}`);
    }
  }
}

const isAnswered = ({ kind }: GroupOperation): boolean => kind !== "imageBlock";

function compose(
  profile: DeviceProfile,
  request: GroupRequest,
  key: { readonly id: number; readonly hex: string },
  crypto: Parameters<GroupProtocol["compose"]>[3],
): Uint8Array {
  const c1222 = c1222Of(profile);
  const { access } = c1222;
  const services = servicesOf(c1222, request).map(encodeRequest);
  if (access.security === "clear")
    throw new SessionError("unsafe", "group.clear", "a request to a group is never sent in clear");
  if (access.userId !== undefined)
    throw unsupported("group.password", "members that ask for a password take no requests to groups");
  const { invocationId, at } = request;
  if (!(invocationId >= GROUP_INVOCATION_IDS && invocationId <= GROUP_INVOCATION_ID_MAX))
    throw new SessionError("internal", "group.invocation-id", `expected an id of group requests, got ${invocationId}`);
  const id = new Writer();
  id.unsigned32(invocationId);
  return securedApdu(
    readyKey(crypto, key.id, key.hex, "a group's key").eaxPrime,
    { keyId: key.id, iv: Math.floor(at / 1000) },
    {
      ...NO_ELEMENTS,
      calledApTitle: request.groupTitle,
      callingApTitle: access.callingApTitle,
      callingApInvocationId: id.done(),
    },
    epsemControl({
      securityMode: SECURITY_MODES[access.security],
      responseControl: isAnswered(request.operation) ? RESPONSE_CONTROL.always : RESPONSE_CONTROL.never,
    }),
    writePayload({ edClass: undefined, services }),
  );
}

async function resultOf(
  profile: Profile,
  request: GroupRequest,
  requests: readonly Request[],
  responses: readonly Response[],
): Promise<OperationResult> {
  const { operation } = request;
  if (operation.kind === "imageBlock") throw unsupported("group.no-answer", "members answer no blocks of images");
  if (operation.kind === "setClock") return clockSetResult(timeOf(profile), request, responses);
  return readResult(profile, operation, request.at, requests, responses);
}

/** Requests to C12.22 groups: one APDU under the group's key, answers under each member's own. */
export const c1222Groups: GroupProtocol = {
  protocol: "c1222",
  spreadMs(profile) {
    const groups = profile.protocol === "c1222" ? profile.c1222.groups : undefined;
    return groups === undefined ? undefined : groups.answersWithinSeconds * 1000;
  },
  isAnswered,
  compose,
  whose(octets) {
    try {
      const { calledApInvocationId, callingApTitle } = decode(AContext, octets);
      if (calledApInvocationId === undefined || callingApTitle === undefined) return undefined;
      const invocationId = unsignedOf(calledApInvocationId);
      return invocationId < GROUP_INVOCATION_IDS || invocationId > GROUP_INVOCATION_ID_MAX
        ? undefined
        : { title: absoluteTitle(callingApTitle), invocationId };
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  },
  async open(octets, { title, profile, keys }, request, crypto) {
    const c1222 = c1222Of(profile);
    const { access } = c1222;
    try {
      const answer = decode(AContext, octets);
      const asked = answer.calledApInvocationId;
      if (asked === undefined || unsignedOf(asked) !== request.invocationId)
        throw new SessionError("auth", "c1222.other-request", "the answer is to another request");
      const requests = servicesOf(c1222, request);
      const responses = openAnswer(
        answer,
        {
          meterTitle: title,
          ownTitle: access.callingApTitle,
          securityMode: SECURITY_MODES[access.security],
          key: enrolledKey(access, keys, crypto),
        },
        requests,
      );
      return await resultOf(c1222, request, requests, responses);
    } catch (error) {
      throw error instanceof WireError ? conversationError(error, true) : error;
    }
  },
};
