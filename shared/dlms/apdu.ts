import { type Codec, encode, type TypeOf, unknownTag } from "../wire/codec.ts";
import { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import { Aare } from "./aare.ts";
import { Aarq } from "./aarq.ts";
import { AccessRequest, AccessResponse } from "./access-request.ts";
import { ActionRequest } from "./action-request.ts";
import { ActionResponse } from "./action-response.ts";
import { ConfirmedServiceError } from "./confirmed-service-error.ts";
import { DataNotification } from "./data-notification.ts";
import { DataNotificationConfirm } from "./data-notification-confirm.ts";
import { EventNotificationRequest } from "./event-notification-request.ts";
import { ExceptionResponse } from "./exception-response.ts";
import { GeneralBlockTransfer } from "./general-block-transfer.ts";
import { GetRequest } from "./get-request.ts";
import { GetResponse } from "./get-response.ts";
import { InformationReportRequest } from "./information-report-request.ts";
import { InitiateRequest } from "./initiate-request.ts";
import { InitiateResponse } from "./initiate-response.ts";
import { ReadRequest } from "./read-request.ts";
import { ReadResponse } from "./read-response.ts";
import { Rlre, Rlrq } from "./release.ts";
import { SetRequest } from "./set-request.ts";
import { SetResponse } from "./set-response.ts";
import { UnconfirmedWriteRequest, WriteRequest } from "./write-request.ts";
import { WriteResponse } from "./write-response.ts";

const row = <N extends string, C>(name: N, codec: C): { readonly name: N; readonly codec: C } => ({ name, codec });

/** Every APDU in clear, by its tag: a new one is a file, its vectors and a row here. */
export const APDUS = {
  1: row("InitiateRequest", InitiateRequest),
  5: row("ReadRequest", ReadRequest),
  6: row("WriteRequest", WriteRequest),
  8: row("InitiateResponse", InitiateResponse),
  12: row("ReadResponse", ReadResponse),
  13: row("WriteResponse", WriteResponse),
  14: row("ConfirmedServiceError", ConfirmedServiceError),
  15: row("DataNotification", DataNotification),
  16: row("DataNotificationConfirm", DataNotificationConfirm),
  22: row("UnconfirmedWriteRequest", UnconfirmedWriteRequest),
  24: row("InformationReportRequest", InformationReportRequest),
  96: row("AARQ", Aarq),
  97: row("AARE", Aare),
  98: row("RLRQ", Rlrq),
  99: row("RLRE", Rlre),
  192: row("GetRequest", GetRequest),
  193: row("SetRequest", SetRequest),
  194: row("EventNotificationRequest", EventNotificationRequest),
  195: row("ActionRequest", ActionRequest),
  196: row("GetResponse", GetResponse),
  197: row("SetResponse", SetResponse),
  199: row("ActionResponse", ActionResponse),
  216: row("ExceptionResponse", ExceptionResponse),
  217: row("AccessRequest", AccessRequest),
  218: row("AccessResponse", AccessResponse),
  224: row("GeneralBlockTransfer", GeneralBlockTransfer),
} as const;

type Rows = typeof APDUS;
/** An APDU by its name, with its value: `{ name: "GetRequest", value: { kind: "normal", … } }`. */
export type Apdu = {
  [T in keyof Rows]: { readonly name: Rows[T]["name"]; readonly value: TypeOf<Rows[T]["codec"]> };
}[keyof Rows];

type SomeRow = { readonly name: string; readonly codec: { readonly read: (source: Reader) => unknown } };
const byTag: ReadonlyMap<number, SomeRow> = new Map(Object.entries(APDUS).map(([tag, found]) => [Number(tag), found]));

/** Decodes an APDU in clear by its tag. Throws `WireError`; `wire.tag` when the tag is none of these. */
export function decodeApdu(octets: Uint8Array, base = 0): Apdu {
  const tag = octets[0];
  if (tag === undefined) throw new WireError("wire.truncated", "expected an APDU, got nothing", base);
  const found = byTag.get(tag);
  if (found === undefined) throw unknownTag("an APDU", tag, [...byTag.keys()], base);
  const source = new Reader(octets, base);
  const value = found.codec.read(source);
  source.finish(found.name);
  return { name: found.name, value } as Apdu;
}

/** Encodes what `decodeApdu` gives. */
export function encodeApdu({ name, value }: Apdu): Uint8Array {
  const found = Object.values(APDUS).find((one) => one.name === name) as { readonly codec: Codec<unknown> } | undefined;
  if (found === undefined) throw new TypeError(`expected the name of an APDU, got ${name}`);
  return encode(found.codec, value);
}
