import { SessionError } from "../../metering/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import { encode } from "../../wire/codec.ts";
import type { ActionResponseWithOptionalData } from "../action-response.ts";
import type { SelectiveAccessDescriptor } from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import type { GetDataResult } from "../get-data-result.ts";
import type { AttributeOf, MethodOf, ReadableAttribute } from "../objects/interface-class.ts";
import { Rlrq } from "../release.ts";
import { access } from "./access.ts";
import type { MethodCall } from "./action-with-list.ts";
import type { ApduChannel } from "./apdu-link.ts";
import type { Exchange } from "./exchange.ts";
import type { Services } from "./services.ts";

/** A value, or the Data-Access-Result or Action-Result with which the meter refused. */
export type Answer<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "refused"; readonly result: number };

/** An attribute and the data to write to it: `written` makes it of a typed attribute. */
export interface AttributeWrite {
  readonly descriptor: AttributeOf<unknown>["descriptor"];
  readonly data: Data;
}
export const written = <T>({ descriptor, shape }: AttributeOf<T>, value: T): AttributeWrite => ({
  descriptor,
  data: shape.write(value),
});

/** How long a release may take, ms: it is polite, not needed. */
const RELEASE_TIMEOUT_MS = 1_000;

/** One association with one meter, by typed attributes and methods. Throws `SessionError`. */
export class DlmsSession {
  readonly exchange: Exchange;
  readonly #services: Services;
  readonly #apdus: ApduChannel;
  readonly #clock: Clock;
  /** InitiateRequest in clear, for a release that proves itself; undefined: a pre-established association is not released. */
  readonly #initiate: Uint8Array | undefined;

  constructor(
    exchange: Exchange,
    services: Services,
    apdus: ApduChannel,
    clock: Clock,
    initiate: Uint8Array | undefined,
  ) {
    this.exchange = exchange;
    this.#services = services;
    this.#apdus = apdus;
    this.#clock = clock;
    this.#initiate = initiate;
  }

  async read<T>(attribute: AttributeOf<T>, selection?: SelectiveAccessDescriptor): Promise<Answer<T>> {
    const item = { cosemAttributeDescriptor: attribute.descriptor, accessSelection: selection };
    const [result] = await this.#services.read([item]);
    return answerOf(attribute, result as GetDataResult);
  }

  /** Several attributes in as few requests as the association allows; answers in order. */
  async readAll(attributes: readonly ReadableAttribute[]): Promise<readonly Answer<unknown>[]> {
    const items = attributes.map(({ descriptor }) => ({
      cosemAttributeDescriptor: descriptor,
      accessSelection: undefined,
    }));
    const results = await this.#services.read(items);
    return attributes.map((attribute, index) => answerOf(attribute, results[index] as GetDataResult));
  }

  /** Writes an attribute; answers the Data-Access-Result, 0 for success. */
  async write<T>(attribute: AttributeOf<T>, value: T): Promise<number> {
    const [result] = await this.writeAll([written(attribute, value)]);
    return result as number;
  }

  /** Writes several attributes, in one request where the association offers it; a Data-Access-Result for each. */
  writeAll(writes: readonly AttributeWrite[]): Promise<readonly number[]> {
    return this.#services.write(
      writes.map(({ descriptor, data }) => ({
        cosemAttributeDescriptor: descriptor,
        accessSelection: undefined,
        value: data,
      })),
    );
  }

  /** Calls several methods, in one request where the association offers it. */
  invokeAll(calls: readonly MethodCall[]): ReturnType<Services["invoke"]> {
    return this.#services.invoke(calls);
  }

  /** Reads, writes and calls in one ACCESS request. */
  access(...request: Parameters<typeof access> extends [unknown, ...infer R] ? R : never): ReturnType<typeof access> {
    return access(this.exchange, ...request);
  }

  /** Calls a method; answers its Action-Result and what it returned. */
  async invoke<T>(method: MethodOf<T>, parameter: T): Promise<ActionResponseWithOptionalData> {
    const call = { cosemMethodDescriptor: method.descriptor, parameters: method.parameter.write(parameter) };
    const [response] = await this.#services.invoke([call]);
    return response as ActionResponseWithOptionalData;
  }

  /** RLRQ and what the layer below has, answered or not within a second each; never rejects. Says nothing when broken. */
  async release(): Promise<void> {
    if (!this.exchange.sound) return;
    const soon = (): number => this.#clock.now() + RELEASE_TIMEOUT_MS;
    // The caller closes the link, which releases every association on it.
    const politely = (step: Promise<unknown> | undefined) => step?.catch(() => undefined);
    const initiate = this.#initiate;
    if (initiate !== undefined) await politely(this.#rlrq(initiate, soon));
    await politely(this.#apdus.disconnect?.(soon()));
  }

  async #rlrq(initiate: Uint8Array, soon: () => number): Promise<void> {
    const userInformation = this.exchange.security?.sealInitiate(initiate);
    await this.#apdus.send(encode(Rlrq, { reason: 0, userInformation }));
    await this.#apdus.receive(soon());
  }
}

function answerOf<T>(
  attribute: Pick<AttributeOf<T>, "descriptor"> & { shape: Pick<AttributeOf<T>["shape"], "read"> },
  result: GetDataResult,
): Answer<T> {
  if (result.kind === "dataAccessResult") return { kind: "refused", result: result.dataAccessResult };
  const value = attribute.shape.read(result.data);
  if (value !== undefined) return { kind: "value", value };
  const { classId, instanceId, attributeId } = attribute.descriptor;
  throw new SessionError(
    "protocol",
    "dlms.type-unmatched",
    `attribute ${attributeId} of ${instanceId} (class ${classId}) does not hold what its class describes`,
    { detail: { classId, instanceId, attributeId, type: result.data.type } },
  );
}
