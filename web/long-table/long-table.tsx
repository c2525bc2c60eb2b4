import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { rowAfterKey } from "./row-after-key.ts";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  /** Share of the width, percent. */
  readonly width: number;
}

interface Props<Row> {
  readonly label: string;
  /** `short`: a part of a page, which does not fill the window. */
  readonly size: "tall" | "short";
  /** The first one names the row. */
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
export function LongTable<Row>({ label, size, columns, rows, keyOf, more }: Props<Row>) {
  const region = useRef<HTMLElement>(null);
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

  let drawnTo = 0;
  const body: ReactNode[] = [];
  const space = (key: string, height: number) => {
    if (height > 0)
      body.push(
        // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus
        <tr key={key} aria-hidden="true" className="space" style={{ height }}>
          <td colSpan={columns.length} />
        </tr>,
      );
  };
  for (const item of items) {
    const row = rows[item.index];
    if (row === undefined) continue;
    space(`before ${item.key}`, item.start - drawnTo);
    drawnTo = item.end;
    body.push(
      <tr key={item.key} data-index={item.index} aria-rowindex={item.index + 2} onFocus={() => setFocused(item.index)}>
        {columns.map(({ head, cell }, at) =>
          at === 0 ? (
            <th scope="row" key={head}>
              {cell(row)}
            </th>
          ) : (
            <td key={head}>{cell(row)}</td>
          ),
        )}
      </tr>,
    );
  }
  space("after", virtual.getTotalSize() - drawnTo);

  return (
    <section
      ref={region}
      className={`long ${size}`}
      aria-label={`List of ${label.toLowerCase()}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
      tabIndex={0}
      onKeyDown={go}
    >
      <table aria-label={label} aria-rowcount={more.has ? -1 : rows.length + 1}>
        <colgroup>
          {columns.map(({ head, width }) => (
            <col key={head} style={{ width: `${width}%` }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ head }) => (
              <th scope="col" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{body}</tbody>
      </table>
    </section>
  );
}
