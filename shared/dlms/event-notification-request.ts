import { type Codec, prefixed, sequence } from "../wire/codec.ts";
import { octetString } from "../wire/octet-string.ts";
import { optional } from "./a-xdr.ts";
import { CosemAttributeDescriptor } from "./cosem-attribute-descriptor.ts";
import { type Data, DataCodec } from "./data.ts";

export interface EventNotificationRequest {
  /** 12 octets. */
  readonly time: Uint8Array | undefined;
  readonly cosemAttributeDescriptor: CosemAttributeDescriptor;
  readonly attributeValue: Data;
  /** A public peer's form: the octet-string tag stands where the presence flag of `time` should. */
  readonly taggedTime?: true;
}

const time = octetString(12, "a date-time");
const flagged = optional(time);
const body = sequence({ cosemAttributeDescriptor: CosemAttributeDescriptor, attributeValue: DataCodec });

const fields: Codec<EventNotificationRequest> = {
  read: (source) => {
    const tagged = source.peek() === 0x09;
    if (tagged) source.unsigned8();
    return {
      time: tagged ? time.read(source) : flagged.read(source),
      ...body.read(source),
      ...(tagged && { taggedTime: true }),
    };
  },
  write: (target, value) => {
    if (value.taggedTime && value.time !== undefined) {
      target.unsigned8(0x09);
      time.write(target, value.time);
    } else flagged.write(target, value.time);
    body.write(target, value);
  },
};

/** IEC 62056-5-3, Event-Notification-Request, APDU tag 194; never confirmed. */
export const EventNotificationRequest = prefixed("Event-Notification-Request", 0xc2, fields);
