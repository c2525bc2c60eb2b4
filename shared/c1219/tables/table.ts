import { type Field, parseDescription } from "../description.ts";

/** A standard table whose layout is known. */
export interface StandardTable {
  readonly number: number;
  /** As the standard calls it. */
  readonly name: string;
  /** Tables whose values its layout depends on, besides table 0. */
  readonly uses: readonly number[];
  readonly fields: readonly Field[];
  /**
   * How the layout is known: `confirmed`: two independent sources agree. `single-source`: one only; it is interpreted
   * where a device profile says that its meters have it so, and octets otherwise.
   */
  readonly evidence: "confirmed" | "single-source";
}

export const table = (
  number: number,
  name: string,
  evidence: StandardTable["evidence"],
  uses: readonly number[],
  description: string,
): StandardTable => ({ number, name, uses, fields: parseDescription(description), evidence });
