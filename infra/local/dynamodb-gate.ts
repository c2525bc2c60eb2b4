/** Lets requests to a table run side by side, and a transaction on it alone. */
export class TableGates {
  readonly #inside = new Map<string, number>();
  readonly #closed = new Map<string, Promise<void>>();
  #drained: (() => void)[] = [];

  /** Resolves when no transaction holds the tables; call the answer when the request is over. */
  async enter(tables: ReadonlySet<string>): Promise<() => void> {
    for (;;) {
      const closed = [...tables].map((table) => this.#closed.get(table)).find((gate) => gate !== undefined);
      if (closed === undefined) break;
      await closed;
    }
    for (const table of tables) this.#inside.set(table, (this.#inside.get(table) ?? 0) + 1);
    return () => {
      for (const table of tables) this.#inside.set(table, (this.#inside.get(table) ?? 1) - 1);
      const waiting = this.#drained;
      this.#drained = [];
      for (const resume of waiting) resume();
    };
  }

  /** Resolves when the caller is alone on the tables; call the answer when the transaction is over. */
  async close(tables: ReadonlySet<string>): Promise<() => void> {
    for (;;) {
      const closed = [...tables].map((table) => this.#closed.get(table)).find((gate) => gate !== undefined);
      if (closed === undefined) break;
      await closed;
    }
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    for (const table of tables) this.#closed.set(table, gate);
    while ([...tables].some((table) => (this.#inside.get(table) ?? 0) > 0))
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    return () => {
      for (const table of tables) this.#closed.delete(table);
      open();
    };
  }
}
