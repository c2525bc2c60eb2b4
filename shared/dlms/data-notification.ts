import { type Codec, prefixed, sequence } from "../wire/codec.ts";
import { unsigned32 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { type Data, DataCodec } from "./data.ts";

export interface DataNotification {
  readonly longInvokeIdAndPriority: number;
  /** 12 octets, or none. */
  readonly dateTime: Uint8Array;
  readonly notificationBody: Data;
  /** A vendor's form: the octet-string tag stands before the length of `dateTime`. */
  readonly taggedDateTime: boolean;
}

const dateTime = octetString(12, "a date-time");
const plain = sequence({ dateTime, notificationBody: DataCodec });

const fields: Codec<DataNotification> = {
  read: (source) => {
    const longInvokeIdAndPriority = unsigned32.read(source);
    const taggedDateTime = source.peek() === 0x09 && source.peek(1) === 0x0c;
    if (taggedDateTime) source.unsigned8();
    return { longInvokeIdAndPriority, ...plain.read(source), taggedDateTime };
  },
  write: (target, value) => {
    unsigned32.write(target, value.longInvokeIdAndPriority);
    if (value.taggedDateTime) target.unsigned8(0x09);
    plain.write(target, value);
  },
};

/** IEC 62056-5-3, Data-Notification, tag 15. */
export const DataNotification = prefixed("Data-Notification", 0x0f, fields);
