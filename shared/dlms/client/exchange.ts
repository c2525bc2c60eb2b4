import { SessionError } from "../../metering/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AccessResponse } from "../access-request.ts";
import { type Apdu, decodeApdu } from "../apdu.ts";
import { CONFORMANCE, type ConformanceService } from "../conformance.ts";
import { invokeIdAndPriority, invokeIdOf } from "../invoke-id.ts";
import { LONG_INVOKE, longInvokeIdOf } from "../long-invoke-id.ts";
import type { ApduChannel } from "./apdu-link.ts";
import { conversationError } from "./apdu-link.ts";
import type { ApplicationSecurity } from "./application-security.ts";
import type { Agreement } from "./association.ts";
import { failureIn } from "./service-failure.ts";

export interface ExchangeOptions {
  readonly apdus: ApduChannel;
  readonly clock: Clock;
  /** How long one request may stay unanswered, ms. */
  readonly responseTimeoutMs: number;
  /** Undefined: an association in clear. */
  readonly security: ApplicationSecurity | undefined;
  readonly agreement: Agreement;
}

type ShortNameAnswer = "ReadResponse" | "WriteResponse";
type ServiceName = "GetResponse" | "SetResponse" | "ActionResponse" | "AccessResponse" | ShortNameAnswer;
type ServiceValue<N extends ServiceName> = Extract<Apdu, { readonly name: N }>["value"];

/** What a meter may say between a request and its answer. */
const PUSHES: ReadonlySet<string> = new Set([
  "DataNotification",
  "EventNotificationRequest",
  "InformationReportRequest",
]);
const PUSH_TAGS: ReadonlySet<number> = new Set([0x0f, 0xc2, 0x18]);

/** Octets of a request that goes in blocks of its own accord. */
const UNLIMITED = 0x1_0000;

/** Requests and their answers on one association: invoke ids, protection, time-outs. */
export class Exchange {
  readonly #options: ExchangeOptions;
  #invokeId = 0;
  #longInvokeId = 0;
  #sound = true;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** False after anything that leaves the conversation in doubt: nothing more may be sent. */
  get sound(): boolean {
    return this.#sound;
  }
  get agreement(): Agreement {
    return this.#options.agreement;
  }
  get security(): ApplicationSecurity | undefined {
    return this.#options.security;
  }

  /** Octets that one request in clear may have, so that protected it still fits what the meter accepts. */
  get requestMax(): number {
    if (this.#options.apdus.unlimited === true) return UNLIMITED;
    return this.#options.agreement.serverMaxPduSize - (this.#options.security?.overhead ?? 0);
  }

  offers(service: ConformanceService): boolean {
    return (this.#options.agreement.conformance & CONFORMANCE[service]) !== 0;
  }

  /** Throws `SessionError` `dlms.service-not-negotiated` unless the association offers the service. */
  require(service: ConformanceService): void {
    if (!this.offers(service))
      throw new SessionError("unsupported", "dlms.service-not-negotiated", `the meter does not offer ${service}`, {
        detail: { service },
      });
  }

  /** Invoke id and priority of the next request; its blocks keep them. */
  nextInvoke(): number {
    this.#invokeId = (this.#invokeId % 15) + 1;
    return invokeIdAndPriority(this.#invokeId, { highPriority: this.offers("priority-mgmt-supported") });
  }

  /** Id of the next ACCESS request, 24 bits, with its priority. */
  nextLongInvoke(): number {
    this.#longInvokeId = (this.#longInvokeId % 0xff_ffff) + 1;
    return this.#longInvokeId | (this.offers("priority-mgmt-supported") ? LONG_INVOKE.highPriority : 0);
  }

  /**
   * Sends a request and gives its answer. Answers to other invoke ids are stale and passed over, and so are pushes.
   * Throws `SessionError`.
   */
  ask<N extends ServiceName>(name: N, invoke: number, request: Uint8Array): Promise<ServiceValue<N>> {
    return this.#ask(name, request, (answer) => {
      if (!("value" in answer) || !("invokeIdAndPriority" in answer.value)) throw wrongForm(name, answer.name);
      return invokeIdOf(answer.value.invokeIdAndPriority) === invokeIdOf(invoke);
    });
  }

  /** The same for ACCESS, whose ids are long. */
  askAccess(longInvoke: number, request: Uint8Array): Promise<AccessResponse> {
    return this.#ask("AccessResponse", request, (answer) => {
      if (answer.name !== "AccessResponse") throw wrongForm("AccessResponse", answer.name);
      return longInvokeIdOf(answer.value.longInvokeIdAndPriority) === longInvokeIdOf(longInvoke);
    });
  }

  /** The same by short names, where an answer belongs to the request before it: it carries no id. */
  askByShortName<N extends ShortNameAnswer>(name: N, request: Uint8Array): Promise<ServiceValue<N>> {
    return this.#ask(name, request, () => true);
  }

  /** Sends what nobody answers. */
  async tell(request: Uint8Array): Promise<void> {
    const { apdus, security } = this.#options;
    try {
      await apdus.send(security === undefined ? request : security.seal(request));
    } catch (error) {
      this.#sound = false;
      throw conversationError(error);
    }
  }

  /** `isOurs`: false for an answer to another request; throws for one that is of no request of this kind. */
  async #ask<N extends ServiceName>(
    name: N,
    request: Uint8Array,
    isOurs: (answer: Apdu) => boolean,
  ): Promise<ServiceValue<N>> {
    const { apdus, clock, responseTimeoutMs, security } = this.#options;
    const repeats = apdus.repeats ?? 0;
    try {
      await apdus.send(security === undefined ? request : security.seal(request), name === "GetResponse");
      const deadline = clock.now() + responseTimeoutMs;
      for (;;) {
        const answer = this.#open(await apdus.receive(deadline));
        if (answer === undefined || PUSHES.has(answer.name)) continue;
        if (!isOurs(answer)) continue;
        if (answer.name !== name) throw wrongForm(name, answer.name);
        return answer.value as ServiceValue<N>;
      }
    } catch (error) {
      this.#sound = false;
      throw repeats === (apdus.repeats ?? 0) ? conversationError(error) : answerLost(error);
    }
  }

  /** Undefined: a push in clear, which a ciphered association does not look at. */
  #open(octets: Uint8Array): Apdu | undefined {
    const { security } = this.#options;
    if (security === undefined) {
      const failure = failureIn(octets, true);
      if (failure !== undefined) throw failure;
      return decodeApdu(octets);
    }
    if (PUSH_TAGS.has(octets[0] ?? 0)) return undefined;
    const apdu = security.open(octets);
    const failure = failureIn(apdu, true);
    if (failure !== undefined) throw failure;
    return decodeApdu(apdu);
  }
}

/** A meter that answered a request and gets it again refuses its counter: what was lost is the answer. */
function answerLost(error: unknown): unknown {
  if (!(error instanceof SessionError) || error.code !== "dlms.counter-refused") return conversationError(error);
  return new SessionError("timeout", "dlms.answer-lost", "the answer was lost, and the meter does not give it twice", {
    cause: error,
  });
}

/** An answer that does not fit the request: another service, or another form of it. */
export const wrongForm = (expected: string, received: string): SessionError =>
  new SessionError("protocol", "dlms.unexpected-answer", `expected ${expected}, got ${received}`, {
    detail: { expected, received },
  });
