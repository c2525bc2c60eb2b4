// biome-ignore-all lint/a11y/useSemanticElements: rows are placed freely, which takes a table element's meaning away
// biome-ignore-all lint/a11y/useFocusableInteractive: rows and heads of a table are not focused, their links are
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { rowAfterKey } from "./row-after-key.ts";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  readonly label: string;
  /** Its columns' widths: see `style/table.css`. */
  readonly kind: "fleet" | "tasks";
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Whether there are rows that have not been asked for yet, and how to ask. */
  readonly more: { readonly has: boolean; readonly loading: boolean; readonly load: () => void };
}

const ROW_HEIGHT = 42;

/**
 * A table of any length that holds only the rows in sight. Up, down, page and end keys go from row to row; the row with
 * the focus stays in the page while the list scrolls.
 */
export function LongTable<Row>({ label, kind, columns, rows, keyOf, more }: Props<Row>) {
  const region = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<number | undefined>(undefined);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => region.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row);
    },
    rangeExtractor: (range: Range) => {
      const indexes = defaultRangeExtractor(range);
      if (focused === undefined || focused >= rows.length || indexes.includes(focused)) return indexes;
      return [...indexes, focused].sort((a, b) => a - b);
    },
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  const near = last >= rows.length - 12;
  useEffect(() => {
    if (near && more.has && !more.loading) more.load();
  }, [near, more.has, more.loading, more.load]);

  const go = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((region.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const next = rowAfterKey(event.key, focused, rows.length, page);
    if (next === undefined) return;
    event.preventDefault();
    setFocused(next);
    virtual.scrollToIndex(next);
    // The row is drawn in the next frame at the latest, as `focused` is part of the range.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => region.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus()),
    );
  };

  return (
    <div
      ref={region}
      className={`long ${kind}`}
      role="table"
      aria-label={label}
      aria-rowcount={more.has ? -1 : rows.length + 1}
      aria-colcount={columns.length}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
      tabIndex={0}
      onKeyDown={go}
    >
      <div role="rowgroup" className="header">
        <div role="row" aria-rowindex={1}>
          {columns.map(({ head }) => (
            <div role="columnheader" key={head}>
              {head}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="body" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <div
              role="row"
              key={item.key}
              data-index={item.index}
              aria-rowindex={item.index + 2}
              style={{ transform: `translateY(${item.start}px)` }}
              onFocus={() => setFocused(item.index)}
            >
              {columns.map(({ head, cell }) => (
                <div role="cell" key={head}>
                  {cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
