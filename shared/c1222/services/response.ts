import { restOctets } from "../../wire/ber.ts";
import { type Codec, decode, encode, mapped, sequence } from "../../wire/codec.ts";
import { unsigned8, unsigned32 } from "../../wire/integers.ts";
import { OK } from "../response-code.ts";
import { IdentificationOk } from "./identification.ts";
import { LogonOk } from "./logon.ts";
import { RegisterOk } from "./register.ts";
import type { ServiceName } from "./request.ts";
import { TableData } from "./table-data.ts";
import { ResolveOk, TraceOk, titleList } from "./title-services.ts";

/** What an answer carries, by the service that it answers; octets where nothing more is known. */
export type ResponseBody =
  | { readonly kind: "none" }
  | { readonly kind: "data"; readonly data: Uint8Array }
  | ({ readonly kind: "identification" } & IdentificationOk)
  | { readonly kind: "logon"; readonly idleTimeout: number }
  | { readonly kind: "register"; readonly register: RegisterBody }
  | { readonly kind: "resolve"; readonly nativeAddress: Uint8Array }
  | { readonly kind: "trace"; readonly apTitles: readonly string[] }
  | { readonly kind: "octets"; readonly octets: Uint8Array };
type RegisterBody = typeof RegisterOk extends Codec<infer T> ? T : never;

/** The answer to one request. */
export interface Response {
  readonly code: number;
  readonly body: ResponseBody;
  /** `rqtl` and `rstl`: the largest size that would do. */
  readonly maximumSize?: number;
  /** A refused trace: the titles that were reached. */
  readonly apTitles?: readonly string[];
}

const of = <K extends ResponseBody["kind"]>(kind: K, codec: unknown): Codec<ResponseBody> =>
  mapped(
    codec as Codec<object>,
    (value) => ({ kind, ...value }) as unknown as ResponseBody,
    (value) => value,
  );
const none = of("none", sequence({}));
const data = of("data", sequence({ data: TableData }));
const octets = of("octets", sequence({ octets: restOctets }));

const BODIES: Partial<Record<ServiceName, Codec<ResponseBody>>> = {
  identification: of("identification", IdentificationOk),
  register: of("register", sequence({ register: RegisterOk })),
  resolve: of("resolve", ResolveOk),
  trace: of("trace", TraceOk),
  fullRead: data,
  partialReadIndex: data,
  partialReadOffset: data,
  defaultRead: data,
  logon: of("logon", LogonOk),
  authenticate: octets,
  negotiate: octets,
  timingSetup: octets,
};
const TOO_LARGE = [0x0f, 0x10];
const SEGMENTATION_ERROR = 0x12;

/** The answer to a request of this service. Undefined: whose answer it is is not known, and the body stays octets. */
export const responseCodec = (service: ServiceName | undefined): Codec<Response> => ({
  read: (source) => {
    const code = unsigned8.read(source);
    if (code === OK) {
      const body = service === undefined ? octets : (BODIES[service] ?? none);
      return { code, body: body.read(source) };
    }
    const maximumSize = TOO_LARGE.includes(code) && source.remaining > 0 ? unsigned32.read(source) : undefined;
    const apTitles = service === "trace" && source.remaining > 0 ? titleList.read(source) : undefined;
    const rest = code === SEGMENTATION_ERROR || service === undefined ? source.rest() : new Uint8Array(0);
    return {
      code,
      body: rest.length === 0 ? { kind: "none" } : { kind: "octets", octets: rest },
      ...(maximumSize === undefined ? {} : { maximumSize }),
      ...(apTitles === undefined ? {} : { apTitles }),
    };
  },
  write: (target, { code, body, maximumSize, apTitles }) => {
    unsigned8.write(target, code);
    if (maximumSize !== undefined) unsigned32.write(target, maximumSize);
    if (apTitles !== undefined) titleList.write(target, apTitles);
    const codec = Object.values(BODIES).find((one) => one !== undefined && kindOf.get(one) === body.kind);
    (body.kind === "none" ? none : body.kind === "octets" ? octets : (codec ?? octets)).write(target, body);
  },
});

const kindOf = new Map<Codec<ResponseBody>, ResponseBody["kind"]>([
  [BODIES.identification!, "identification"],
  [BODIES.register!, "register"],
  [BODIES.resolve!, "resolve"],
  [BODIES.trace!, "trace"],
  [BODIES.logon!, "logon"],
  [data, "data"],
]);

/** Throws `WireError`. */
export const decodeResponse = (service: ServiceName | undefined, pdu: Uint8Array, base = 0): Response =>
  decode(responseCodec(service), pdu, base);
export const encodeResponse = (response: Response): Uint8Array => encode(responseCodec(undefined), response);
export const okResponse = (body: ResponseBody = { kind: "none" }): Response => ({ code: OK, body });
/** The answer to Identification: a C12.22 node, how many sessions it has at once, and whether it serves outside of them. */
export const identified = (sessions: number, sessionless: boolean): Response =>
  okResponse({
    kind: "identification",
    standard: 3,
    version: 1,
    revision: 0,
    features: [{ feature: "sessionControl", sessions, sessionless }],
  });
export const refusal = (code: number): Response => ({ code, body: { kind: "none" } });
