import { CONFORMANCE, type ConformanceService } from "../conformance.ts";
import type { CosemObjects } from "./cosem-object.ts";

/** What a service needs to know of the association that it works for. */
export interface ServiceContext {
  readonly objects: CosemObjects;
  /** Negotiated. */
  readonly conformance: number;
  /** Octets of the largest APDU that may be answered, before it is protected. */
  readonly answerMax: number;
}

/** A service that was not negotiated: the caller answers with an exception. */
export const NOT_NEGOTIATED = "not-negotiated";
export type NotNegotiated = typeof NOT_NEGOTIATED;

export const offers = (context: ServiceContext, ...services: readonly ConformanceService[]): boolean =>
  services.every((service) => (context.conformance & CONFORMANCE[service]) !== 0);

/** What an APDU with one block needs beside its raw data: tag, choice, invoke id, last, number, choice, length. */
export const BLOCK_OVERHEAD = 12;
export const blockSize = (context: ServiceContext): number => Math.max(1, context.answerMax - BLOCK_OVERHEAD);
