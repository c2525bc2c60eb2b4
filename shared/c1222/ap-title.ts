import { readElement, writeElement } from "../wire/ber.ts";
import { type Codec, encode, unknownTag } from "../wire/codec.ts";
import { oid, relativeOid } from "./oid.ts";

/** What relative titles of C12.22 count from. */
export const AP_TITLE_ROOT = "2.16.124.113620.1.22.0";
/** The C12.22 application context; the one that is meant when none is said. */
export const C1222_CONTEXT = "2.16.124.113620.1.22";

const ABSOLUTE = 0x06;
const RELATIVE = 0x80;
/** RELATIVE-OID's universal tag, as it stands in tables; read, never written. */
const RELATIVE_IN_TABLES = 0x0d;

/** An ApTitle as text: absolute `2.16.124.113620.1.22.0.23.273`, or relative to the root, `.23.273`. */
export const ApTitle: Codec<string> = {
  read: (source) => {
    const { tag, offset, content } = readElement(source);
    if (tag !== ABSOLUTE && tag !== RELATIVE && tag !== RELATIVE_IN_TABLES)
      throw unknownTag("an ApTitle", tag, [ABSOLUTE, RELATIVE, RELATIVE_IN_TABLES], offset);
    return (tag === ABSOLUTE ? oid : relativeOid).read(content);
  },
  write: (target, title) => {
    if (title.startsWith(".")) writeElement(target, RELATIVE, encode(relativeOid, title));
    else writeElement(target, ABSOLUTE, encode(oid, title));
  },
};

/** The same title with every arc said. `context`: an application context of its own, which then is the root. */
export const absoluteTitle = (title: string, context?: string): string =>
  title.startsWith(".")
    ? `${context === undefined || context === C1222_CONTEXT ? AP_TITLE_ROOT : context}${title === "." ? "" : title}`
    : title;

/** Whether two titles name the same node. */
export const sameTitle = (left: string, right: string): boolean => absoluteTitle(left) === absoluteTitle(right);

/** A title as it may have been enrolled: whole, or from the root on. */
export function enrolledForms(title: string): readonly string[] {
  const whole = absoluteTitle(title);
  return whole.startsWith(`${AP_TITLE_ROOT}.`) ? [whole, whole.slice(AP_TITLE_ROOT.length)] : [title];
}
