import { SessionError } from "../../metering/failure.ts";
import type { SelectiveAccessDescriptor } from "../cosem-attribute-descriptor.ts";
import type { Data } from "../data.ts";
import { DATA_ACCESS_RESULT, nameIn } from "../data-access-result.ts";
import type { LogicalName } from "../logical-name.ts";
import { ACCESS_RIGHT, AssociationLn, accessRights, CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { AssociationSn } from "../objects/association-sn.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { INTERFACE_CLASSES } from "../objects/interface-classes.ts";
import { any, longUnsigned, obis, type ShapeValue, unsigned } from "../objects/shape.ts";
import { byClass } from "../selective-access.ts";
import type { Answer, DlmsSession } from "./session.ts";

export interface AttributeRights {
  readonly read: boolean;
  readonly write: boolean;
  readonly selectors: readonly number[];
}

/** An object that an association sees. */
export interface DiscoveredObject {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: LogicalName;
  /** By number; undefined: the meter told no rights. */
  readonly attributes: ReadonlyMap<number, AttributeRights> | undefined;
  /** The methods that may be called; undefined: the meter told no rights. */
  readonly methods: ReadonlySet<number> | undefined;
}

/** Something that discovery could not tell, and why. */
export interface Untold {
  /** A logical name, or what of the profile it is about. */
  readonly about: string;
  readonly because: string;
}

export interface ObjectList {
  readonly objects: readonly DiscoveredObject[];
  readonly untold: readonly Untold[];
}

/** More than any meter has; what is read is bounded by the session besides. */
const OBJECTS_MAX = 4096;
/** Classes asked for in one request when the whole list cannot be had. */
const CLASSES_AT_ONCE = 8;

/**
 * The objects that the session's association sees. By logical names `classes` asks for these alone where the meter
 * offers selective access; a list that the meter will not give whole is read class by class. Throws `SessionError`
 * `dlms.object-list` when the meter gives none.
 */
export async function discoverObjects(
  session: DlmsSession,
  referencing: "logical-name" | "short-name",
  classes?: readonly number[],
): Promise<ObjectList> {
  const list = referencing === "short-name" ? await shortNames(session) : await logicalNames(session, classes);
  if (classes === undefined) return list;
  return { ...list, objects: list.objects.filter(({ classId }) => classes.includes(classId)) };
}

async function logicalNames(session: DlmsSession, classes: readonly number[] | undefined): Promise<ObjectList> {
  const attribute = {
    ...attributeOf(AssociationLn, AssociationLn.attributes.objectList, CURRENT_ASSOCIATION),
    shape: any,
  };
  const selective = session.exchange.offers("selective-access");
  const ask = (selection?: SelectiveAccessDescriptor) => session.read(attribute, selection);
  if (classes !== undefined && selective) {
    // The association's own entry tells what the access modes mean.
    const some = await ask(byClass([...new Set([AssociationLn.classId, ...classes])]));
    if (some.kind === "value") return listed([some.value]);
  }
  const whole = await ask();
  if (whole.kind === "value") return listed([whole.value]);
  if (!selective || whole.result === DATA_ACCESS_RESULT["read-write-denied"]) throw refused(whole);
  const parts: Data[] = [];
  const all = [...new Set(INTERFACE_CLASSES.map(({ classId }) => classId))];
  for (let at = 0; at < all.length; at += CLASSES_AT_ONCE) {
    const part = await ask(byClass(all.slice(at, at + CLASSES_AT_ONCE)));
    if (part.kind === "refused") throw refused(part);
    parts.push(part.value);
  }
  const { objects, untold } = listed(parts);
  const because =
    "the meter gives its object list by class alone: objects of other classes than were asked for do not show";
  return { objects, untold: [...untold, { about: CURRENT_ASSOCIATION, because }] };
}

const refused = (answer: Extract<Answer<unknown>, { kind: "refused" }>): SessionError =>
  new SessionError("refused", "dlms.object-list", "the meter refused its list of objects", {
    detail: { result: nameIn(DATA_ACCESS_RESULT, answer.result) },
  });

type Rights = ShapeValue<typeof accessRights>;
interface Element {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: LogicalName;
  readonly rights: Rights | undefined;
}

/** One object_list_element. Rights in a form of the maker's own make it no less an object. */
function elementIn(data: Data): Element | undefined {
  if (data.type !== "structure" || data.value.length < 3) return undefined;
  const [classId, version, name, rights] = data.value;
  const found = {
    classId: classId && longUnsigned.read(classId),
    version: version && unsigned.read(version),
    logicalName: name && obis.read(name),
  };
  if (found.classId === undefined || found.version === undefined || found.logicalName === undefined) return undefined;
  return { ...found, rights: rights && accessRights.read(rights) } as Element;
}

function listed(lists: readonly Data[]): ObjectList {
  const elements: Element[] = [];
  const untold: Untold[] = [];
  for (const data of lists.flatMap(itemsOf)) {
    const element = elementIn(data);
    if (element === undefined)
      untold.push({ about: CURRENT_ASSOCIATION, because: "an entry of the object list is not as its class says" });
    else elements.push(element);
  }
  const { version } = elements.find(({ logicalName }) => logicalName === CURRENT_ASSOCIATION) ?? { version: undefined };
  return { objects: elements.map((element) => withRights(element, (version ?? 0) >= 3)), untold };
}

function itemsOf(data: Data): readonly Data[] {
  if (data.type !== "array" || data.value.length > OBJECTS_MAX)
    throw new SessionError("protocol", "dlms.object-list", "the meter's list of objects is not as its class says");
  return data.value;
}

/** `bits`: access modes are those of version 3. */
function withRights({ rights, ...object }: Element, bits: boolean): DiscoveredObject {
  if (rights === undefined) return { ...object, attributes: undefined, methods: undefined };
  const attributes = rights.attributeAccess.map(({ attributeId, accessMode, accessSelectors }) => {
    const mode = modeOf(accessMode);
    const may = bits
      ? { read: (mode & ACCESS_RIGHT.read) !== 0, write: (mode & ACCESS_RIGHT.write) !== 0 }
      : { read: [1, 3, 4, 6].includes(mode), write: [2, 3, 5, 6].includes(mode) };
    return [attributeId, { ...may, selectors: accessSelectors ?? [] }] as const;
  });
  const methods = rights.methodAccess.filter(({ accessMode }) => modeOf(accessMode) !== 0);
  return { ...object, attributes: new Map(attributes), methods: new Set(methods.map(({ methodId }) => methodId)) };
}

const modeOf = ({ type, value }: Data): number =>
  type === "boolean" ? Number(value) : typeof value === "number" ? value : 0;

async function shortNames(session: DlmsSession): Promise<ObjectList> {
  const { objectList, accessRightsList } = AssociationSn.attributes;
  const list = await session.read(attributeOf(AssociationSn, objectList, CURRENT_ASSOCIATION));
  if (list.kind === "refused") throw refused(list);
  if (list.value.length > OBJECTS_MAX)
    throw new SessionError("protocol", "dlms.object-list", "the meter's list of objects is not as its class says");
  const rights = await session.read({
    ...attributeOf(AssociationSn, accessRightsList, CURRENT_ASSOCIATION),
    shape: any,
  });
  const told = rights.kind === "value" ? accessRightsList.shape.read(rights.value) : undefined;
  const byName = new Map(told?.map((each) => [each.baseName, each]));
  const own = list.value.find(({ logicalName }) => logicalName === CURRENT_ASSOCIATION);
  return {
    objects: list.value.map(({ baseName, ...object }) =>
      withRights({ ...object, rights: byName.get(baseName) }, (own?.version ?? 0) >= 4),
    ),
    untold: told === undefined ? [{ about: CURRENT_ASSOCIATION, because: "the meter tells no access rights" }] : [],
  };
}
