import { concat } from "../ports/octets.ts";
import { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";
import type { GenConfig } from "./gen-config.ts";
import { readUnsigned, writeUnsigned } from "./integer.ts";

export const PROCEDURE_INITIATE_TABLE = 7;
export const PROCEDURE_RESPONSE_TABLE = 8;

/** A procedure as tables 7 and 8 name it: number, whose it is, and when the meter posts an answer (0: on completion). */
export interface ProcedureId {
  readonly number: number;
  readonly manufacturer: boolean;
  readonly selector: number;
}

/** Content of table 7. */
export interface ProcedureRequest extends ProcedureId {
  /** 0..255: the answer repeats it. */
  readonly sequence: number;
  readonly parameters: Uint8Array;
}

/** Content of table 8. */
export interface ProcedureResponse extends ProcedureId {
  readonly sequence: number;
  readonly resultCode: number;
  readonly data: Uint8Array;
}

/** When the meter posts its answer in table 8. */
export const PROCEDURE_SELECTOR = { postOnCompletion: 0, postOnException: 1, doNotPost: 2, postBoth: 3 } as const;

export const PROCEDURE_RESULT = {
  completed: 0,
  acceptedNotComplete: 1,
  invalidParameter: 2,
  conflictsWithSetup: 3,
  timingConstraint: 4,
  notAuthorised: 5,
  unrecognised: 6,
} as const;

/** Standard procedures that this product names. */
export const STANDARD_PROCEDURE = {
  coldStart: 0,
  warmStart: 1,
  saveConfiguration: 2,
  clearData: 3,
  resetListPointers: 4,
  updateLastReadEntry: 5,
  changeMode: 6,
  clearStandardStatusFlags: 7,
  clearManufacturerStatusFlags: 8,
  remoteReset: 9,
  setDateTime: 10,
  executeDiagnostics: 11,
  activateAllPendingTables: 12,
  activateSpecificPendingTables: 13,
  clearAllPendingTables: 14,
  clearSpecificPendingTables: 15,
  startLoadProfile: 16,
  stopLoadProfile: 17,
  logIn: 18,
  logOut: 19,
  initiateCall: 20,
  directLoadControl: 21,
  modifyCredit: 22,
  register: 23,
  deregister: 24,
  networkInterfaceControl: 25,
  exceptionReport: 26,
} as const;

const NAMES = new Map<number, string>(Object.entries(STANDARD_PROCEDURE).map(([name, number]) => [number, name]));
/** The name of a standard procedure; undefined: a manufacturer's, or one that is not known. */
export const procedureNameOf = ({ number, manufacturer }: Pick<ProcedureId, "number" | "manufacturer">) =>
  manufacturer ? undefined : NAMES.get(number);

const idOf = (bits: number): ProcedureId => ({
  number: bits & 0x07ff,
  manufacturer: (bits & 0x0800) !== 0,
  selector: bits >> 12,
});

function head({ number, manufacturer, selector }: ProcedureId, sequence: number, config: GenConfig): Uint8Array {
  const target = new Writer();
  writeUnsigned(target, 2, BigInt(number | (manufacturer ? 0x0800 : 0) | (selector << 12)), config);
  target.unsigned8(sequence);
  return target.done();
}

export const procedureRequestOctets = (request: ProcedureRequest, config: GenConfig): Uint8Array =>
  concat(head(request, request.sequence, config), request.parameters);

/** Throws `WireError`. */
export function procedureRequestOf(octets: Uint8Array, config: GenConfig): ProcedureRequest {
  const source = new Reader(octets);
  const id = idOf(Number(readUnsigned(source, 2, config)));
  return { ...id, sequence: source.unsigned8("a sequence number"), parameters: source.rest() };
}

export const procedureResponseOctets = (response: ProcedureResponse, config: GenConfig): Uint8Array =>
  concat(head(response, response.sequence, config), Uint8Array.of(response.resultCode), response.data);

/** Throws `WireError`. */
export function procedureResponseOf(octets: Uint8Array, config: GenConfig): ProcedureResponse {
  const source = new Reader(octets);
  const id = idOf(Number(readUnsigned(source, 2, config)));
  const sequence = source.unsigned8("a sequence number");
  return { ...id, sequence, resultCode: source.unsigned8("a result code"), data: source.rest() };
}
