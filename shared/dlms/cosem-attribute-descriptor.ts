import { sequence, type TypeOf } from "../wire/codec.ts";
import { integer8, unsigned8, unsigned16 } from "../wire/integers.ts";
import { optional } from "./a-xdr.ts";
import { DataCodec } from "./data.ts";
import { logicalName } from "./logical-name.ts";

/** IEC 62056-5-3, Cosem-Attribute-Descriptor. */
export const CosemAttributeDescriptor = sequence({
  classId: unsigned16,
  /** OBIS code as text: "1.0.1.8.0.255". */
  instanceId: logicalName,
  attributeId: integer8,
});
export type CosemAttributeDescriptor = TypeOf<typeof CosemAttributeDescriptor>;

/** IEC 62056-5-3, Cosem-Method-Descriptor. */
export const CosemMethodDescriptor = sequence({ classId: unsigned16, instanceId: logicalName, methodId: integer8 });
export type CosemMethodDescriptor = TypeOf<typeof CosemMethodDescriptor>;

/** IEC 62056-5-3, Selective-Access-Descriptor; the parameters of a profile's buffer: selective-access.ts. */
export const SelectiveAccessDescriptor = sequence({ accessSelector: unsigned8, accessParameters: DataCodec });
export type SelectiveAccessDescriptor = TypeOf<typeof SelectiveAccessDescriptor>;

/** IEC 62056-5-3, Cosem-Attribute-Descriptor-With-Selection. */
export const CosemAttributeDescriptorWithSelection = sequence({
  cosemAttributeDescriptor: CosemAttributeDescriptor,
  accessSelection: optional(SelectiveAccessDescriptor),
});
export type CosemAttributeDescriptorWithSelection = TypeOf<typeof CosemAttributeDescriptorWithSelection>;

/** References in one with-list request or response. */
export const LIST_MAX = 1024;
