import type { BlockKey, DayBlocks, StoredBlock, SupersededBlock } from "./blocks.ts";
import { dayOf } from "./day-block.ts";

const keyOf = ({ segment, slot, day, set }: BlockKey): string => `${segment}#${day}#${slot}#${set}`;

/** Day blocks in memory, with the same conditions as the real ones: for simulation and for tests. */
export function memoryDayBlocks(): DayBlocks {
  const blocks = new Map<string, StoredBlock>();
  const superseded = new Map<string, SupersededBlock>();
  const copy = <T extends { readonly octets: Uint8Array }>(item: T): T => ({ ...item, octets: item.octets.slice() });
  return {
    async read(keys) {
      return keys.flatMap((key) => {
        const found = blocks.get(keyOf(key));
        return found === undefined ? [] : [copy(found)];
      });
    },
    async write(key, octets, was) {
      if ((blocks.get(keyOf(key))?.version ?? 0) !== was) return "conflict";
      blocks.set(keyOf(key), copy({ key: { ...key }, octets, version: was + 1 }));
      return "written";
    },
    async keep(item) {
      superseded.set(`${keyOf(item.key)}#${item.loser}#${item.winner}`, copy(item));
    },
    async ofMeter({ segment, slot }, from, to) {
      return [...blocks.values()]
        .filter(({ key }) => key.segment === segment && key.slot === slot)
        .filter(({ key }) => key.day >= dayOf(from) && key.day <= to)
        .sort((left, right) => left.key.day - right.key.day || (left.key.set < right.key.set ? -1 : 1))
        .map(copy);
    },
    async ofSegment(segment, day) {
      return [...blocks.values()].filter(({ key }) => key.segment === segment && key.day === day).map(copy);
    },
    async supersededOf({ segment, slot }, day) {
      return [...superseded.values()]
        .filter(({ key }) => key.segment === segment && key.slot === slot && key.day === day)
        .map(copy);
    },
  };
}
