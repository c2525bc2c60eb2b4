import { type GenConfig, genConfigOf } from "../../shared/c1219/gen-config.ts";
import {
  PROCEDURE_RESULT,
  type ProcedureRequest,
  type ProcedureResponse,
  procedureNameOf,
  procedureRequestOf,
  procedureResponseOf,
} from "../../shared/c1219/procedure.ts";
import { readGenConfig, STANDARD_TABLES } from "../../shared/c1219/standard-tables.ts";
import { isRecord, readTable, type TableValue } from "../../shared/c1219/table-layout.ts";
import { AContext, unsignedOf } from "../../shared/c1222/a-context.ts";
import { absoluteTitle } from "../../shared/c1222/ap-title.ts";
import { authenticationValueOf } from "../../shared/c1222/calling-authentication-value.ts";
import { type EpsemControl, readPayload } from "../../shared/c1222/epsem.ts";
import { responseName } from "../../shared/c1222/response-code.ts";
import type { EaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import { controlOf, openApdu } from "../../shared/c1222/security/secured-apdu.ts";
import { isSegment } from "../../shared/c1222/segmentation.ts";
import { codeOf, decodeRequest, type Request } from "../../shared/c1222/services/request.ts";
import { decodeResponse } from "../../shared/c1222/services/response.ts";
import { TABLE_ID, TableData, tableChecksum, tableName } from "../../shared/c1222/services/table-data.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { decode } from "../../shared/wire/codec.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { integerJson, type Json, type JsonObject } from "./json.ts";

/** A key and the id under which messages name it. */
export interface C1222Key {
  readonly id: number;
  readonly key: EaxPrimeKey;
}

const SECURITY_MODES = ["cleartext", "cleartextWithAuthentication", "ciphertextWithAuthentication"] as const;
const RESPONSE_CONTROLS = ["always", "onException", "never"] as const;
/** Data order and time format are said by table 0, which a single APDU does not bring: what most meters have. */
const ASSUMED: GenConfig = {
  dataOrder: "little",
  charFormat: 1,
  timeFormat: 4,
  dataAccessMethod: 1,
  idForm: 0,
  intFormat: 0,
  niFormat1: 0,
  niFormat2: 0,
};

/** The layers of one C12.22 APDU, outermost first. Throws `WireError` with the offset in the frame. */
export function c1222Layers(octets: Uint8Array, keys: readonly C1222Key[]): readonly JsonObject[] {
  const apdu = decode(AContext, octets);
  const outer = aContextJson(apdu);
  if (isSegment(apdu)) {
    const { indirectReference, octetAligned } = apdu.userInformation;
    const offset = unsignedOf(indirectReference ?? new Uint8Array(0));
    return [outer, { layer: "segment", offset, octets: toHex(octetAligned) }];
  }
  const control = at(octets, apdu.userInformation.octetAligned, () => controlOf(apdu));
  const epsem: JsonObject = { layer: "epsem", ...controlJson(control) };
  let last: ReturnType<typeof openApdu> | undefined;
  // Each key of the id that the message names is tried; without keys the reason says what is missing.
  for (const candidate of keys.length === 0 ? [undefined] : keys) {
    last = openApdu(apdu, (id) => (id === candidate?.id ? candidate.key : undefined));
    if (last.kind === "opened") break;
  }
  if (last === undefined || last.kind === "closed") {
    const reason = last === undefined ? "no key" : REASONS[last.code];
    return [outer, epsem, { layer: "ciphered", reason, ...clearPayload(apdu, control) }];
  }
  const secured = control.securityMode === 0 ? {} : { verified: true };
  const deciphered = control.securityMode === 2;
  const base = deciphered ? 0 : last.payload.byteOffset - octets.byteOffset;
  const { edClass, services } = readPayload(last.payload, control.edClassIncluded, base);
  const head = { ...epsem, ...secured, ...(edClass === undefined ? {} : { edClass: toHex(edClass) }) };
  const isAnswer = apdu.calledApInvocationId !== undefined;
  return [
    outer,
    head,
    ...services.map((service) => {
      const offset = base + service.byteOffset - last.payload.byteOffset;
      return isAnswer ? responseJson(service, offset) : requestJson(decodeRequest(service, offset));
    }),
  ];
}

const REASONS = {
  "c1222.no-authentication-value": "the APDU has no calling authentication value",
  "c1222.elements-missing": "the APDU has no called ApTitle",
  "c1222.unknown-key": "no key with the id that the APDU names",
  "c1222.bad-mac": "no key verifies the MAC",
} as const;

/** In mode 1 the payload can be read without a key; nothing of it is verified. */
const clearPayload = ({ userInformation: { octetAligned } }: AContext, { securityMode }: EpsemControl): JsonObject =>
  securityMode === 1 ? { unverified: toHex(octetAligned.subarray(1)) } : { octets: toHex(octetAligned.subarray(1)) };

/** Runs a decoder of a part, whose offsets then count from the frame's first octet. */
function at<T>(frame: Uint8Array, part: Uint8Array, decoding: () => T): T {
  try {
    return decoding();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const offset = error.offset + part.byteOffset - frame.byteOffset;
    throw new WireError(error.code, error.message.replace(/ at octet \d+$/, ""), offset);
  }
}

/** An ApTitle as dotted arcs, all of them. */
const titleJson = (title: string | undefined): Json => (title === undefined ? null : absoluteTitle(title));
const present = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== undefined));
const integer = (content: Uint8Array | undefined): Json => (content === undefined ? null : unsignedOf(content));

function aContextJson(apdu: AContext): JsonObject {
  const { callingAuthenticationValue: authentication } = apdu;
  return present({
    layer: "apdu",
    name: "AContext",
    asoContext: apdu.asoContext ?? null,
    calledApTitle: titleJson(apdu.calledApTitle),
    calledAeQualifier: integer(apdu.calledAeQualifier),
    calledApInvocationId: integer(apdu.calledApInvocationId),
    callingApTitle: titleJson(apdu.callingApTitle),
    callingAeQualifier: integer(apdu.callingAeQualifier),
    callingApInvocationId: integer(apdu.callingApInvocationId),
    mechanismName: apdu.mechanismName ?? null,
    callingAuthenticationValue: authentication === undefined ? null : authenticationJson(authentication),
  });
}

function authenticationJson(content: Uint8Array): Json {
  try {
    const { keyId, iv } = authenticationValueOf(content);
    return { keyId, iv };
  } catch (error) {
    if (error instanceof WireError) return { octets: toHex(content) }; // another variant, C12.21's for instance
    throw error;
  }
}

const controlJson = (control: EpsemControl): JsonObject => ({
  recoverySession: control.recoverySession,
  proxyServiceUsed: control.proxyServiceUsed,
  edClassIncluded: control.edClassIncluded,
  securityMode: control.securityMode,
  securityModeName: SECURITY_MODES[control.securityMode],
  responseControl: control.responseControl,
  responseControlName: RESPONSE_CONTROLS[control.responseControl],
});

const plainJson = (value: unknown): Json => {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === "bigint") return integerJson(value);
  if (Array.isArray(value)) return value.map(plainJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, plainJson(one)]])),
    );
  return value as Json;
};

function requestJson(request: Request): JsonObject {
  const { service, ...body } = request;
  const fields = plainJson(body) as JsonObject;
  const named = service === "negotiate" ? fields : { code: codeOf(request), ...fields };
  const titles = "apTitle" in request ? { apTitle: absoluteTitle(request.apTitle) } : {};
  const layer: JsonObject = { layer: "service", name: service, ...named, ...titles };
  if (!("tableId" in request)) return layer;
  const title = STANDARD_TABLES.get(request.tableId & ~TABLE_ID.pending)?.name;
  const table = {
    ...layer,
    tableName: tableName(request.tableId),
    ...(title === undefined ? {} : { tableTitle: title }),
  };
  if (!("data" in request)) return table;
  const written = { ...table, checksum: tableChecksum(request.data) };
  return request.service === "fullWrite" ? { ...written, ...contentJson(request.tableId, request.data) } : written;
}

/** A procedure with its name, where it is a standard one, and what its result means. */
function procedureJson(procedure: ProcedureRequest | ProcedureResponse): JsonObject {
  const name = procedureNameOf(procedure);
  const result = "resultCode" in procedure ? PROCEDURE_RESULT_NAMES[procedure.resultCode] : undefined;
  return {
    ...(plainJson(procedure) as JsonObject),
    ...(name === undefined ? {} : { numberName: name }),
    ...(result === undefined ? {} : { resultCodeName: result }),
  };
}
const PROCEDURE_RESULT_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(PROCEDURE_RESULT).map(([name, code]) => [code, name]),
);

/** Table data in words where the table's layout needs nothing but itself: 0, 7, and limits. */
function contentJson(tableId: number, data: Uint8Array): JsonObject {
  try {
    if (tableId === 7) return { procedure: procedureJson(procedureRequestOf(data, ASSUMED)) };
    if (tableId === 8) return { procedure: procedureJson(procedureResponseOf(data, ASSUMED)) };
    if (tableId === 0) {
      const context = genConfigOf(data) && readGenConfig(data);
      return context === undefined ? {} : { table: tableJson(context.tables.at(-1) ?? {}) };
    }
    const table = STANDARD_TABLES.get(tableId);
    // What one source alone tells is interpreted where a device profile says so, and here there is none.
    if (table === undefined || table.uses.length > 0 || table.evidence !== "confirmed") return {};
    return { table: tableJson(readTable(table.fields, { config: ASSUMED, tables: [] }, data)) };
  } catch (error) {
    if (error instanceof HeadraceError) return {}; // another form than the assumed one: the octets stand above
    throw error;
  }
}

function tableJson(value: TableValue | undefined): Json {
  if (value === undefined) return null;
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, tableJson(one)]])),
    );
  return plainJson(value);
}

/** An answer alone does not say what it answers: what has the shape of table data is shown as such. */
function responseJson(service: Uint8Array, base: number): JsonObject {
  const { code, body, maximumSize } = decodeResponse(undefined, service, base);
  const octets = body.kind === "octets" ? body.octets : new Uint8Array(0);
  const layer: JsonObject = { layer: "service", name: "response", code, codeName: responseName(code) };
  if (maximumSize !== undefined) return { ...layer, maximumSize };
  if (octets.length === 0) return layer;
  if (code === 0)
    try {
      const data = decode(TableData, octets);
      return { ...layer, data: toHex(data), checksum: tableChecksum(data) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  return { ...layer, octets: toHex(octets) };
}
