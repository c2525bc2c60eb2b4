/**
 * The row that a key leads to, 0-based; undefined: the key is not about rows, or there are none. Without a row that has
 * the focus, down leads to the first.
 */
export function rowAfterKey(key: string, from: number | undefined, rows: number, page: number): number | undefined {
  if (rows === 0) return undefined;
  const clamp = (row: number) => Math.min(Math.max(row, 0), rows - 1);
  switch (key) {
    case "ArrowDown":
      return clamp((from ?? -1) + 1);
    case "ArrowUp":
      return clamp((from ?? 1) - 1);
    case "PageDown":
      return clamp((from ?? 0) + page);
    case "PageUp":
      return clamp((from ?? 0) - page);
    case "Home":
      return 0;
    case "End":
      return rows - 1;
    default:
      return undefined;
  }
}
