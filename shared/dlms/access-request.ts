import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned32 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { optional, sequenceOf } from "./a-xdr.ts";
import {
  CosemAttributeDescriptor,
  CosemMethodDescriptor,
  LIST_MAX,
  SelectiveAccessDescriptor,
} from "./cosem-attribute-descriptor.ts";
import { ActionResult, DataAccessResult } from "./data-access-result.ts";
import { ValueList } from "./set-request.ts";

const attribute = sequence({ cosemAttributeDescriptor: CosemAttributeDescriptor });
const selected = sequence({
  cosemAttributeDescriptor: CosemAttributeDescriptor,
  accessSelection: SelectiveAccessDescriptor,
});

/** IEC 62056-5-3, Access-Request-Specification. */
export const AccessRequestSpecification = choice("Access-Request-Specification", {
  get: tagged(0x01, attribute),
  set: tagged(0x02, attribute),
  action: tagged(0x03, sequence({ cosemMethodDescriptor: CosemMethodDescriptor })),
  getWithSelection: tagged(0x04, selected),
  setWithSelection: tagged(0x05, selected),
});
const specifications = sequenceOf(AccessRequestSpecification, LIST_MAX, "access request specifications");
const dateTime = octetString(12, "a date-time");

/** IEC 62056-5-3, Access-Request, tag 217. */
export const AccessRequest = prefixed(
  "Access-Request",
  0xd9,
  sequence({
    longInvokeIdAndPriority: unsigned32,
    dateTime,
    accessRequestSpecification: specifications,
    accessRequestListOfData: ValueList,
  }),
);
export type AccessRequest = TypeOf<typeof AccessRequest>;

const accessResult = sequence({ result: DataAccessResult });

/** IEC 62056-5-3, Access-Response, tag 218. */
export const AccessResponse = prefixed(
  "Access-Response",
  0xda,
  sequence({
    longInvokeIdAndPriority: unsigned32,
    dateTime,
    accessRequestSpecification: optional(specifications),
    accessResponseListOfData: ValueList,
    accessResponseSpecification: sequenceOf(
      choice("Access-Response-Specification", {
        get: tagged(0x01, accessResult),
        set: tagged(0x02, accessResult),
        action: tagged(0x03, sequence({ result: ActionResult })),
      }),
      LIST_MAX,
      "access response specifications",
    ),
  }),
);
export type AccessResponse = TypeOf<typeof AccessResponse>;
