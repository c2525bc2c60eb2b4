import { concat } from "../../ports/octets.ts";

/** Octets cut into blocks that are sent one at a time, numbered from 1. */
export interface OutgoingBlocks {
  readonly octets: Uint8Array;
  readonly size: number;
  /** Number of the block sent last. */
  readonly sent: number;
}
export const hasLastBeenSent = ({ octets, size, sent }: OutgoingBlocks): boolean => sent * size >= octets.length;
export const blockOf = ({ octets, size, sent }: OutgoingBlocks): Uint8Array =>
  octets.subarray((sent - 1) * size, sent * size);

/** Largest value that a client may send in blocks, octets. */
export const INCOMING_MAX = 0x1_0000;

/** Blocks of one request, collected in order. */
export interface IncomingBlocks<T> {
  /** What the first block said the value is for. */
  readonly target: T;
  readonly parts: readonly Uint8Array[];
  readonly length: number;
}
export const nextNumber = (incoming: IncomingBlocks<unknown>): number => incoming.parts.length + 1;
export const joined = (incoming: IncomingBlocks<unknown>): Uint8Array => concat(...incoming.parts);

/** Takes a block; undefined when it is out of order or makes the value too long. */
export function taken<T>(incoming: IncomingBlocks<T>, number: number, part: Uint8Array): IncomingBlocks<T> | undefined {
  const length = incoming.length + part.length;
  if (number !== nextNumber(incoming) || length > INCOMING_MAX) return undefined;
  return { target: incoming.target, parts: [...incoming.parts, part], length };
}
export const opened = <T>(target: T): IncomingBlocks<T> => ({ target, parts: [], length: 0 });
