import { assert } from "../../ports/errors.ts";
import { ASSOCIATION_SN_BASE_NAME, AssociationSn } from "../objects/association-sn.ts";
import { attributeName, methodName } from "../short-name.ts";
import type { CosemObject } from "./cosem-object.ts";

/** What a short name stands for. */
export type Named =
  | { readonly kind: "attribute"; readonly object: CosemObject; readonly id: number }
  | { readonly kind: "method"; readonly object: CosemObject; readonly id: number };

/** The short names of all that one association sees. */
export interface ShortNames {
  readonly bases: ReadonlyMap<CosemObject, number>;
  readonly named: ReadonlyMap<number, Named>;
}

const FIRST = 0x0100;

/** Gives each object its names, one behind the other; the association's own has the standard's. */
export function shortNames(objects: Iterable<CosemObject>): ShortNames {
  const bases = new Map<CosemObject, number>();
  const named = new Map<number, Named>();
  let free = FIRST;
  for (const object of objects) {
    const own = object.classId === AssociationSn.classId;
    const base = own ? ASSOCIATION_SN_BASE_NAME : free;
    bases.set(object, base);
    const add = (name: number | undefined, found: Named): void => {
      if (name === undefined || named.has(name)) return;
      named.set(name, found);
      if (!own) free = Math.max(free, name + 8);
    };
    for (const id of [1, ...Object.keys(object.attributes).map(Number)])
      add(attributeName(base, object, id), { kind: "attribute", object, id });
    for (const id of Object.keys(object.methods ?? {}).map(Number))
      add(methodName(base, object, id), { kind: "method", object, id });
    assert(free <= ASSOCIATION_SN_BASE_NAME, "the objects of an association have short names enough");
  }
  return { bases, named };
}
