import { restOctets } from "../../wire/ber.ts";
import { type Codec, decode, encode, sequence, unknownTag } from "../../wire/codec.ts";
import { unsigned8 } from "../../wire/integers.ts";
import type { Reader } from "../../wire/reader.ts";
import type { Writer } from "../../wire/writer.ts";
import { Logon } from "./logon.ts";
import { FullRead, type PartialReadIndex, PartialReadOffset, partialReadIndex } from "./read.ts";
import { Register } from "./register.ts";
import { Security } from "./security.ts";
import { tableName } from "./table-data.ts";
import { TitleRequest } from "./title-services.ts";
import { FullWrite, type PartialWriteIndex, PartialWriteOffset, partialWriteIndex } from "./write.ts";

const nothing = sequence({});
/** Services of C12.18 and C12.21 that are carried as they are. */
const legacy = sequence({ octets: restOctets });

const SERVICES = {
  identification: { code: 0x20, body: nothing },
  terminate: { code: 0x21, body: nothing },
  disconnect: { code: 0x22, body: nothing },
  deregister: { code: 0x24, body: TitleRequest },
  resolve: { code: 0x25, body: TitleRequest },
  trace: { code: 0x26, body: TitleRequest },
  register: { code: 0x27, body: Register },
  fullRead: { code: 0x30, body: FullRead },
  defaultRead: { code: 0x3e, body: nothing },
  partialReadOffset: { code: 0x3f, body: PartialReadOffset },
  fullWrite: { code: 0x40, body: FullWrite },
  defaultWrite: { code: 0x4e, body: legacy },
  partialWriteOffset: { code: 0x4f, body: PartialWriteOffset },
  logon: { code: 0x50, body: Logon },
  security: { code: 0x51, body: Security },
  logoff: { code: 0x52, body: nothing },
  authenticate: { code: 0x53, body: legacy },
  wait: { code: 0x70, body: sequence({ seconds: unsigned8 }) },
  timingSetup: { code: 0x71, body: legacy },
} as const;

type Services = typeof SERVICES;
type BodyOf<C> = C extends Codec<infer T> ? T : never;
type Fixed = { [K in keyof Services]: { readonly service: K } & BodyOf<Services[K]["body"]> }[keyof Services];

/** One EPSEM service request. */
export type Request =
  | Fixed
  | ({ readonly service: "partialReadIndex" } & PartialReadIndex)
  | ({ readonly service: "partialWriteIndex" } & PartialWriteIndex)
  | { readonly service: "negotiate"; readonly code: number; readonly octets: Uint8Array };
export type ServiceName = Request["service"];
/** Every service. */
export const SERVICE_NAMES: readonly ServiceName[] = [
  ...(Object.keys(SERVICES) as (keyof Services)[]),
  "partialReadIndex",
  "partialWriteIndex",
  "negotiate",
];

const INDEX_MAX = 9;
const indices = (code: number): number => code & 0x0f;
const isIndexed = (code: number, of: number): boolean =>
  (code & 0xf0) === of && indices(code) >= 1 && indices(code) <= INDEX_MAX;
const byCode = new Map(
  Object.entries(SERVICES).map(([service, { code, body }]) => [code as number, { service, body }]),
);

function readRequest(source: Reader): Request {
  const { offset } = source;
  const code = source.unsigned8("a service code");
  const known = byCode.get(code);
  if (known !== undefined)
    return Object.assign({ service: known.service }, (known.body as Codec<object>).read(source)) as Request;
  if (isIndexed(code, 0x30)) return { service: "partialReadIndex", ...partialReadIndex(indices(code)).read(source) };
  if (isIndexed(code, 0x40)) return { service: "partialWriteIndex", ...partialWriteIndex(indices(code)).read(source) };
  if (code >= 0x60 && code <= 0x6b) return { service: "negotiate", code, octets: source.rest() };
  throw unknownTag("an EPSEM service", code, [...byCode.keys()], offset);
}

/** The code of a request. */
export function codeOf(request: Request): number {
  switch (request.service) {
    case "partialReadIndex":
      return 0x30 + request.index.length;
    case "partialWriteIndex":
      return 0x40 + request.index.length;
    case "negotiate":
      return request.code;
    default:
      return SERVICES[request.service].code;
  }
}

function writeRequest(target: Writer, request: Request): void {
  target.unsigned8(codeOf(request));
  switch (request.service) {
    case "partialReadIndex":
      partialReadIndex(request.index.length).write(target, request);
      break;
    case "partialWriteIndex":
      partialWriteIndex(request.index.length).write(target, request);
      break;
    case "negotiate":
      target.octets(request.octets);
      break;
    default:
      (SERVICES[request.service].body as Codec<object>).write(target, request);
  }
}

export const RequestCodec: Codec<Request> = { read: readRequest, write: writeRequest };
export const decodeRequest = (octets: Uint8Array, base = 0): Request => decode(RequestCodec, octets, base);
export const encodeRequest = (request: Request): Uint8Array => encode(RequestCodec, request);

/** What a request is about, in words: `fullRead ST23`. */
export const requestName = (request: Request): string =>
  "tableId" in request ? `${request.service} ${tableName(request.tableId)}` : request.service;
