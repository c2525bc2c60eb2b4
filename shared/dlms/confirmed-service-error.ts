import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { unsigned8 } from "../wire/integers.ts";

export const CONFIRMED_SERVICE = {
  initiateError: 1,
  getStatus: 2,
  getNameList: 3,
  getVariableAttribute: 4,
  read: 5,
  write: 6,
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

/** IEC 62056-5-3, ConfirmedServiceError, tag 14: service, ServiceError category, code within the category. */
export const ConfirmedServiceError = prefixed(
  "ConfirmedServiceError",
  0x0e,
  sequence({ confirmedServiceError: unsigned8, serviceError: unsigned8, value: unsigned8 }),
);
export type ConfirmedServiceError = TypeOf<typeof ConfirmedServiceError>;
