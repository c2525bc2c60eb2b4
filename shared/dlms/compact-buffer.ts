import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { packed, type TypeDescription, TypeDescriptionCodec } from "./compact-array.ts";
import type { Data } from "./data.ts";

/** What a Compact data object (class 62) says of its buffer: attributes 4 and 5. */
export interface CompactTemplate {
  readonly templateId: number;
  readonly description: Extract<TypeDescription, { readonly type: "structure" }>;
}

/**
 * From template_id and template_description. The description is a structure of one type a capture object; the first
 * capture object is the template_id itself. Throws `WireError`.
 */
export function compactTemplate(templateId: number, templateDescription: Uint8Array): CompactTemplate {
  const description = decode(TypeDescriptionCodec, templateDescription);
  if (description.type !== "structure" || description.of[0]?.type !== "unsigned")
    throw new WireError("wire.value", "expected a template of a structure that starts with the template_id", 0);
  return { templateId, description };
}
export const templateDescription = ({ description }: CompactTemplate): Uint8Array =>
  encode(TypeDescriptionCodec, description);

/**
 * The values of the capture objects, in their order, the template_id first. A buffer that another template made is
 * refused: its octets would read as other values. Throws `WireError`.
 */
export function compactValues(template: CompactTemplate, buffer: Uint8Array): readonly Data[] {
  const values = decode(packed(template.description), buffer);
  const members = values.value as readonly Data[];
  const [id] = members;
  if (id?.value !== template.templateId)
    throw new WireError("wire.value", `expected a buffer of template ${template.templateId}, got ${id?.value}`, 0);
  return members;
}
export const compactBuffer = (template: CompactTemplate, values: readonly Data[]): Uint8Array =>
  encode(packed(template.description), { type: "structure", value: values });
