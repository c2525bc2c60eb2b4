import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { ASSOCIATION_SN_BASE_NAME, AssociationSn } from "../objects/association-sn.ts";
import type { ReadResult } from "../read-response.ts";
import { attributeName } from "../short-name.ts";

/** An object as a short-name association knows it. */
export interface NamedObject {
  readonly classId: number;
  readonly version: number;
  readonly baseName: number;
  /** Where the next object begins: its names are not this one's. Undefined: not known. */
  readonly end?: number;
}

const OBJECTS_MAX = 4096;
const OBJECT_LIST = attributeName(
  ASSOCIATION_SN_BASE_NAME,
  AssociationSn,
  AssociationSn.attributes.objectList.id,
) as number;

/** What logical names stand for in one association: as the profile fixes it, else as the meter's object list says. */
export class BaseNames {
  readonly #known = new Map<string, NamedObject>();
  readonly #readName: (shortName: number) => Promise<ReadResult>;
  #listed = false;

  /** `readName`: reads one attribute by its short name. */
  constructor(
    fixed: NonNullable<DlmsProfile["dlms"]["baseNames"]>,
    readName: (shortName: number) => Promise<ReadResult>,
  ) {
    this.#readName = readName;
    for (const { obis, ...object } of fixed) this.#known.set(obis, object);
    const { classId, version } = AssociationSn;
    this.#known.set(CURRENT_ASSOCIATION, { classId, version, baseName: ASSOCIATION_SN_BASE_NAME });
  }

  /** The object of this name; undefined: the association does not see one. Throws `SessionError`. */
  async find(logicalName: string): Promise<NamedObject | undefined> {
    const known = this.#known.get(logicalName);
    if (known !== undefined || this.#listed) return known;
    await this.#list();
    return this.#known.get(logicalName);
  }

  async #list(): Promise<void> {
    const result = await this.#readName(OBJECT_LIST);
    if (result.kind === "dataAccessError")
      throw new SessionError("refused", "dlms.object-list", "the meter refused its list of objects", {
        detail: { result: result.dataAccessError },
      });
    const list = result.kind === "data" ? AssociationSn.attributes.objectList.shape.read(result.data) : undefined;
    if (list === undefined || list.length > OBJECTS_MAX)
      throw new SessionError("protocol", "dlms.object-list", "the meter's list of objects is not as its class says");
    const inOrder = list
      .map((each) => ({ ...each, baseName: each.baseName & 0xffff }))
      .toSorted((left, right) => left.baseName - right.baseName);
    for (const [index, { logicalName, ...object }] of inOrder.entries()) {
      const next = inOrder[index + 1];
      this.#known.set(logicalName, { ...object, ...(next && { end: next.baseName }) });
    }
    this.#listed = true;
  }
}
