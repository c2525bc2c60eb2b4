import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { unsigned32 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";

/** IEC 62056-5-3, DataNotification-Confirm, tag 16: answers a Data-Notification that asks for it, under its id. */
export const DataNotificationConfirm = prefixed(
  "DataNotification-Confirm",
  0x10,
  sequence({ longInvokeIdAndPriority: unsigned32, dateTime: octetString(12, "a date-time") }),
);
export type DataNotificationConfirm = TypeOf<typeof DataNotificationConfirm>;
