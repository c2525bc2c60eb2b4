import { INTERFACE_CLASSES, interfaceClassOf } from "./objects/interface-classes.ts";

/** Short names: the base name of an object is that of its logical name; attributes follow in steps of eight. */
const STEP = 8;
const NAME_MAX = 0xffff;

interface OfClass {
  readonly classId: number;
  readonly version: number;
}
const within = (name: number): number | undefined => (name <= NAME_MAX ? name : undefined);

/** A version that is not described has its methods where all versions that are described have them. */
function methodsAt({ classId, version }: OfClass): number | undefined {
  const described = interfaceClassOf(classId, version);
  if (described !== undefined) return described.methodsAt;
  const all = new Set(INTERFACE_CLASSES.filter((each) => each.classId === classId).map((each) => each.methodsAt));
  return all.size === 1 ? all.values().next().value : undefined;
}

/**
 * Undefined: the class has no such attribute. Where its attributes should end its methods begin, and a method is called
 * when its name is read.
 */
export function attributeName(baseName: number, of: OfClass, attributeId: number): number | undefined {
  const offset = (attributeId - 1) * STEP;
  return attributeId < 1 || offset >= (methodsAt(of) ?? NAME_MAX) ? undefined : within(baseName + offset);
}

/** Undefined: nobody has told where this class has its methods. */
export function methodName(baseName: number, of: OfClass, methodId: number): number | undefined {
  const offset = methodsAt(of);
  return offset === undefined || methodId < 1 ? undefined : within(baseName + offset + (methodId - 1) * STEP);
}
