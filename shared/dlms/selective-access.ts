import type { SelectiveAccessDescriptor } from "./cosem-attribute-descriptor.ts";
import type { Data } from "./data.ts";
import { type CaptureObject, captureObject } from "./objects/profile-generic.ts";
import { arrayOf, longUnsigned } from "./objects/shape.ts";

/** Selector 1: entries whose restricting object lies in from..to, both included. */
export interface RangeDescriptor {
  readonly restrictingObject: CaptureObject;
  readonly fromValue: Data;
  readonly toValue: Data;
  /** Empty: all columns. */
  readonly selectedValues: readonly CaptureObject[];
}

/** Selector 2: entries by number, from 1; `toEntry` 0: to the last; columns from 1, `toSelectedValue` 0: to the last. */
export interface EntryDescriptor {
  readonly fromEntry: number;
  readonly toEntry: number;
  readonly fromSelectedValue: number;
  readonly toSelectedValue: number;
}

export const byRange = (range: RangeDescriptor): SelectiveAccessDescriptor => ({
  accessSelector: 1,
  accessParameters: {
    type: "structure",
    value: [
      captureObject.write(range.restrictingObject),
      range.fromValue,
      range.toValue,
      { type: "array", value: range.selectedValues.map(captureObject.write) },
    ],
  },
});

export const byEntry = (entries: EntryDescriptor): SelectiveAccessDescriptor => ({
  accessSelector: 2,
  accessParameters: {
    type: "structure",
    value: [
      { type: "double-long-unsigned", value: entries.fromEntry },
      { type: "double-long-unsigned", value: entries.toEntry },
      { type: "long-unsigned", value: entries.fromSelectedValue },
      { type: "long-unsigned", value: entries.toSelectedValue },
    ],
  },
});

/** Undefined: not a range descriptor. */
export function rangeOf(descriptor: SelectiveAccessDescriptor): RangeDescriptor | undefined {
  const { accessSelector, accessParameters: data } = descriptor;
  if (accessSelector !== 1 || data.type !== "structure" || data.value.length !== 4) return undefined;
  const [restricting, fromValue, toValue, selected] = data.value;
  const restrictingObject = restricting && captureObject.read(restricting);
  if (restrictingObject === undefined || fromValue === undefined || toValue === undefined) return undefined;
  if (selected?.type !== "array") return undefined;
  const selectedValues: CaptureObject[] = [];
  for (const column of selected.value) {
    const object = captureObject.read(column);
    if (object === undefined) return undefined;
    selectedValues.push(object);
  }
  return { restrictingObject, fromValue, toValue, selectedValues };
}

/** Undefined: not an entry descriptor. */
export function entriesOf(descriptor: SelectiveAccessDescriptor): EntryDescriptor | undefined {
  const { accessSelector, accessParameters: data } = descriptor;
  if (accessSelector !== 2 || data.type !== "structure" || data.value.length !== 4) return undefined;
  const [from, to, fromColumn, toColumn] = data.value;
  if (from?.type !== "double-long-unsigned" || to?.type !== "double-long-unsigned") return undefined;
  if (fromColumn?.type !== "long-unsigned" || toColumn?.type !== "long-unsigned") return undefined;
  return {
    fromEntry: from.value,
    toEntry: to.value,
    fromSelectedValue: fromColumn.value,
    toSelectedValue: toColumn.value,
  };
}

const classList = arrayOf(longUnsigned);
/** Selector 2 of the object list of an Association LN: the objects of these classes alone. */
export const byClass = (classIds: readonly number[]): SelectiveAccessDescriptor => ({
  accessSelector: 2,
  accessParameters: classList.write(classIds),
});
/** Undefined: not a list of classes. */
export const classesOf = ({
  accessSelector,
  accessParameters,
}: SelectiveAccessDescriptor): readonly number[] | undefined =>
  accessSelector === 2 ? classList.read(accessParameters) : undefined;
