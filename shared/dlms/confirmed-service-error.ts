import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { unsigned8 } from "../wire/integers.ts";

export const CONFIRMED_SERVICE = {
  initiateError: 1,
  getStatus: 2,
  getNameList: 3,
  getVariableAttribute: 4,
  read: 5,
  write: 6,
  getDataSetAttribute: 7,
  getTIAttribute: 8,
  changeScope: 9,
  start: 10,
  stop: 11,
  resume: 12,
  makeUsable: 13,
  initiateLoad: 14,
  loadSegment: 15,
  terminateLoad: 16,
  initiateUpLoad: 17,
  upLoadSegment: 18,
  terminateUpLoad: 19,
} as const;
export const SERVICE_ERROR_CATEGORY = {
  "application-reference": 0,
  "hardware-resource": 1,
  "vde-state-error": 2,
  service: 3,
  definition: 4,
  access: 5,
  initiate: 6,
  "load-data-set": 7,
  "change-scope": 8,
  task: 9,
  other: 10,
} as const;
export const INITIATE_ERROR = {
  other: 0,
  "dlms-version-too-low": 1,
  "incompatible-conformance": 2,
  "pdu-size-too-short": 3,
  "refused-by-the-VDE-handler": 4,
} as const;

/** ServiceError: what the code says in each category. */
export const SERVICE_ERROR_CODES = {
  "application-reference": {
    other: 0,
    "time-elapsed": 1,
    "application-unreachable": 2,
    "application-reference-invalid": 3,
    "application-context-unsupported": 4,
    "provider-communication-error": 5,
    "deciphering-error": 6,
  },
  "hardware-resource": {
    other: 0,
    "memory-unavailable": 1,
    "processor-resource-unavailable": 2,
    "mass-storage-unavailable": 3,
    "other-resource-unavailable": 4,
  },
  "vde-state-error": {
    other: 0,
    "no-dlms-context": 1,
    "loading-data-set": 2,
    "status-nochange": 3,
    "status-inoperable": 4,
  },
  service: { other: 0, "pdu-size": 1, "service-unsupported": 2 },
  definition: {
    other: 0,
    "object-undefined": 1,
    "object-class-inconsistent": 2,
    "object-attribute-inconsistent": 3,
  },
  access: {
    other: 0,
    "scope-of-access-violated": 1,
    "object-access-invalid": 2,
    "hardware-fault": 3,
    "object-unavailable": 4,
  },
  initiate: INITIATE_ERROR,
  "load-data-set": {
    other: 0,
    "primitive-out-of-sequence": 1,
    "not-loadable": 2,
    "dataset-size-too-large": 3,
    "not-awaited-segment": 4,
    "interpretation-failure": 5,
    "storage-failure": 6,
    "data-set-not-ready": 7,
  },
  task: { other: 0, "no-remote-control": 1, "ti-stopped": 2, "ti-running": 3, "ti-unusable": 4 },
} as const satisfies Partial<Record<keyof typeof SERVICE_ERROR_CATEGORY, Readonly<Record<string, number>>>>;

/** The codes of a category by their names; none for a category that nobody defines. */
export function serviceErrorCodes(category: number): Readonly<Record<string, number>> {
  const name = Object.entries(SERVICE_ERROR_CATEGORY).find(([, value]) => value === category)?.[0];
  return (SERVICE_ERROR_CODES as Readonly<Record<string, Readonly<Record<string, number>>>>)[name ?? ""] ?? {};
}

/** IEC 62056-5-3, ConfirmedServiceError, tag 14: service, ServiceError category, code within the category. */
export const ConfirmedServiceError = prefixed(
  "ConfirmedServiceError",
  0x0e,
  sequence({ confirmedServiceError: unsigned8, serviceError: unsigned8, value: unsigned8 }),
);
export type ConfirmedServiceError = TypeOf<typeof ConfirmedServiceError>;
