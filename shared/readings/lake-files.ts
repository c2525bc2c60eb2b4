/** Segments of one lake file. */
export const SEGMENTS_OF_FILE = 64;
export const fileOf = (segment: number): number => Math.floor(segment / SEGMENTS_OF_FILE);
export const segmentsOf = (file: number): number[] =>
  Array.from({ length: SEGMENTS_OF_FILE }, (_, index) => file * SEGMENTS_OF_FILE + index);

/** The Parquet file of one UTC day and 64 segments, as its pointer tells. */
export interface LakeFile {
  /** Start of the UTC day, clock ms. */
  readonly day: number;
  /** Its segments are `file × 64 …`. */
  readonly file: number;
  /** What readers read; absent: nothing was written yet. */
  readonly current?: LakeObject | undefined;
  /** Objects that are not, or no longer, what readers read, and since when (clock ms). */
  readonly dropped: readonly { readonly object: string; readonly at: number }[];
  /** Rises with every write of the pointer. */
  readonly version: number;
}

/** An immutable object. */
export interface LakeObject {
  readonly object: string;
  /** What was stored at this instant is in it, clock ms. */
  readonly asOf: number;
  readonly rows: number;
  readonly octets: number;
  /** Hex. */
  readonly sha256: string;
}

/** Pointers as stored. Keys live in `functions/adapters/dynamo-lake.ts`. */
export interface LakePointers {
  /** Strongly consistent; undefined: none. */
  read(day: number, file: number): Promise<LakeFile | undefined>;
  /** Of one day, ascending, strongly consistent. */
  ofDay(day: number): Promise<readonly LakeFile[]>;
  /** Conditional on the version that was read; 0: there was none. */
  write(file: Omit<LakeFile, "version">, was: number): Promise<"written" | "conflict">;
}

/** Objects, and files of this machine. */
export interface LakeObjects {
  /** Keeps a file of this machine under a name that was never used; says how long it is and its SHA-256 in hex. */
  put(object: string, file: string): Promise<{ readonly octets: number; readonly sha256: string }>;
  /** Brings an object to this machine. */
  get(object: string, file: string): Promise<void>;
  /** One that is not there is as good as removed. */
  remove(object: string): Promise<void>;
}

/** Files of this machine for as long as the call lasts. */
export type Scratch = <T>(use: (fileNamed: (name: string) => string) => Promise<T>) => Promise<T>;
