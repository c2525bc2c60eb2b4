import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { octetString } from "../wire/octet-string.ts";
import { optional } from "./a-xdr.ts";
import { CosemAttributeDescriptor } from "./cosem-attribute-descriptor.ts";
import { DataCodec } from "./data.ts";

/** IEC 62056-5-3, Event-Notification-Request, APDU tag 194; never confirmed. */
export const EventNotificationRequest = prefixed(
  "Event-Notification-Request",
  0xc2,
  sequence({
    time: optional(octetString(12, "a date-time")),
    cosemAttributeDescriptor: CosemAttributeDescriptor,
    attributeValue: DataCodec,
  }),
);
export type EventNotificationRequest = TypeOf<typeof EventNotificationRequest>;
