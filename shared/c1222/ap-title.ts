import { readElement, writeElement } from "../wire/ber.ts";
import { type Codec, encode, unknownTag } from "../wire/codec.ts";
import { Writer } from "../wire/writer.ts";
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
  write: (target, title) => target.octets(titleOctets(title)),
};

/** A message has the same titles as those before it: so many are kept encoded. */
const TITLES_KEPT = 4096;
const encodedTitles = new Map<string, Uint8Array>();

/** An ApTitle with tag and length. Not to be written to. */
export function titleOctets(title: string): Uint8Array {
  const kept = encodedTitles.get(title);
  if (kept !== undefined) return kept;
  const target = new Writer();
  if (title.startsWith(".")) writeElement(target, RELATIVE, encode(relativeOid, title));
  else writeElement(target, ABSOLUTE, encode(oid, title));
  const octets = target.done();
  if (encodedTitles.size >= TITLES_KEPT) encodedTitles.clear();
  encodedTitles.set(title, octets);
  return octets;
}

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
