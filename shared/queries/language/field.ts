/**
 * What may be asked of one fact. `choice`: one of given words. `name`: a name of the utility's; `many`: several at once.
 * `text`: what a device says of itself. `number`: in the unit, bounds included. `age`: how long ago an instant was.
 * `place`: a box of degrees.
 */
export type Field = { readonly words: string } & (
  | { readonly type: "choice"; readonly values: readonly string[]; readonly many?: true }
  | { readonly type: "name" | "text"; readonly many?: true }
  | { readonly type: "number"; readonly unit: string; readonly min: number; readonly max: number }
  | { readonly type: "age" }
  | { readonly type: "place" }
);

/** The facts that a kind of row has, by name; `words`: how a sentence calls it. */
export type Vocabulary<F extends string = string> = Readonly<Record<F, Field>>;

export interface Place {
  /** WGS 84 degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * A fact of one row: text; names; a number; clock ms of an instant; a place. null: there is none (never, nowhere, not
 * known). Left out of the row: this look cannot tell.
 */
export type Fact = string | number | readonly string[] | Place | null;
export type Row<F extends string = string> = Readonly<Partial<Record<F, Fact>>>;

/** WGS 84 degrees, edges included; `west` > `east`: across the date line. */
export interface Box {
  readonly south: number;
  readonly west: number;
  readonly north: number;
  readonly east: number;
}
