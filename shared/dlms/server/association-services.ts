import { decode } from "../../wire/codec.ts";
import { AccessRequest } from "../access-request.ts";
import { ActionRequest } from "../action-request.ts";
import { GetRequest } from "../get-request.ts";
import { isConfirmed } from "../invoke-id.ts";
import { LONG_INVOKE } from "../long-invoke-id.ts";
import { AssociationLn, CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { ReadRequest } from "../read-request.ts";
import { SetRequest } from "../set-request.ts";
import { UnconfirmedWriteRequest, WriteRequest } from "../write-request.ts";
import { accessService } from "./access-service.ts";
import { ActionService } from "./action-service.ts";
import { GetService } from "./get-service.ts";
import { decodedOr } from "./protection.ts";
import { type NotNegotiated, offers, type ServiceContext } from "./service.ts";
import { SetService } from "./set-service.ts";
import { isReplyToHlsByShortName, ShortNameService, serviceError } from "./short-name-service.ts";
import type { ShortNames } from "./short-names.ts";

export interface ServedContext extends ServiceContext {
  /** Short-name referencing. */
  readonly names: ShortNames | undefined;
  /** The client has not proved itself: nothing but its proof is taken. */
  readonly pending: boolean;
}

/** An answer, or why there is none. */
export type Served = Uint8Array | NotNegotiated | "unconfirmed" | "malformed" | "unknown" | "pending" | "too-long";

/** The xDLMS services of one association, by the tag of the request in clear. */
export class AssociationServices {
  readonly #get = new GetService();
  readonly #set = new SetService();
  readonly #action = new ActionService();
  readonly #named = new ShortNameService();

  /** True while blocks of an answer wait to be asked for. */
  get inProgress(): boolean {
    return this.#get.inProgress || this.#named.inProgress;
  }

  abort(): void {
    this.#get.abort();
    this.#set.abort();
    this.#action.abort();
    this.#named.abort();
  }

  serve(apdu: Uint8Array, context: ServedContext): Served {
    const { pending, names } = context;
    const answered = (request: { invokeIdAndPriority: number }, answer: Uint8Array | NotNegotiated) =>
      isConfirmed(request.invokeIdAndPriority) ? answer : "unconfirmed";
    switch (apdu[0]) {
      case 0xc0: {
        if (pending) return "pending";
        const request = decodedOr(() => decode(GetRequest, apdu));
        if (request === undefined) return "malformed";
        this.#set.abort();
        this.#action.abort();
        return answered(request, this.#get.handle(request, context));
      }
      case 0xc1: {
        if (pending) return "pending";
        const request = decodedOr(() => decode(SetRequest, apdu));
        if (request === undefined) return "malformed";
        this.#get.abort();
        this.#action.abort();
        return answered(request, this.#set.handle(request, context));
      }
      case 0xc3: {
        const request = decodedOr(() => decode(ActionRequest, apdu));
        if (request === undefined) return "malformed";
        if (pending && !isReplyToHls(request)) return "pending";
        this.#get.abort();
        this.#set.abort();
        return answered(request, this.#action.handle(request, context));
      }
      case 0xd9: {
        if (pending) return "pending";
        const request = decodedOr(() => decode(AccessRequest, apdu));
        if (request === undefined) return "malformed";
        const answer = accessService(request, context);
        const unconfirmed = (request.longInvokeIdAndPriority & LONG_INVOKE.confirmed) === 0;
        return unconfirmed && typeof answer !== "string" ? "unconfirmed" : answer;
      }
      case 0x05:
      case 0x06:
      case 0x16:
        return names === undefined ? "unknown" : this.#serveNamed(apdu, { ...context, names });
      default:
        return "unknown";
    }
  }

  #serveNamed(apdu: Uint8Array, context: ServedContext & { readonly names: ShortNames }): Served {
    const { pending } = context;
    if (apdu[0] === 0x05) {
      const request = decodedOr(() => decode(ReadRequest, apdu));
      if (request === undefined) return "malformed";
      if (pending && !isReplyToHlsByShortName(request))
        return serviceError("read", "access", "scope-of-access-violated");
      return this.#named.read(request, context);
    }
    if (apdu[0] === 0x06) {
      if (pending) return serviceError("write", "access", "scope-of-access-violated");
      const request = decodedOr(() => decode(WriteRequest, apdu));
      return request === undefined ? "malformed" : this.#named.write(request, context);
    }
    const request = decodedOr(() => decode(UnconfirmedWriteRequest, apdu));
    // Nobody waits for an answer, not even for a refusal.
    if (request !== undefined && !pending && offers(context, "unconfirmed-write"))
      this.#named.writeUnconfirmed(request, context);
    return "unconfirmed";
  }
}

const isReplyToHls = (request: ActionRequest): boolean =>
  request.kind === "normal" &&
  request.cosemMethodDescriptor.classId === AssociationLn.classId &&
  request.cosemMethodDescriptor.instanceId === CURRENT_ASSOCIATION;
