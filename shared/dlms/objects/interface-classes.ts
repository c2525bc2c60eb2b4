import { AssociationLn, AssociationLnV0, AssociationLnV2, AssociationLnV3 } from "./association-ln.ts";
import { AssociationSn, AssociationSnV1, AssociationSnV2, AssociationSnV3 } from "./association-sn.ts";
import { Clock } from "./clock.ts";
import { DataObject } from "./data.ts";
import { DemandRegister } from "./demand-register.ts";
import { ExtendedRegister } from "./extended-register.ts";
import type { InterfaceClass } from "./interface-class.ts";
import { ProfileGeneric } from "./profile-generic.ts";
import { Register } from "./register.ts";
import { ScriptTable } from "./script-table.ts";

/** Every interface class described here, each version that has a layout of its own. */
export const INTERFACE_CLASSES: readonly InterfaceClass[] = [
  DataObject,
  Register,
  ExtendedRegister,
  DemandRegister,
  ProfileGeneric,
  Clock,
  ScriptTable,
  AssociationSnV1,
  AssociationSnV2,
  AssociationSnV3,
  AssociationSn,
  AssociationLnV0,
  AssociationLn,
  AssociationLnV2,
  AssociationLnV3,
];

const byId = new Map<number, readonly InterfaceClass[]>();
for (const each of INTERFACE_CLASSES) byId.set(each.classId, [...(byId.get(each.classId) ?? []), each]);

/** The class in exactly this version; undefined: not described here, though another version may be. */
export const interfaceClassOf = (classId: number, version: number): InterfaceClass | undefined =>
  byId.get(classId)?.find((each) => each.version === version);

/** The standard's name of a class, whatever its version. */
export const interfaceClassName = (classId: number): string | undefined => byId.get(classId)?.[0]?.name;
