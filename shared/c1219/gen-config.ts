/** What table 0 says about the form of all the others. */
export interface GenConfig {
  readonly dataOrder: "little" | "big";
  /** 1: ISO 7-bit, 2: ISO 8859-1, 3: UTF-8. */
  readonly charFormat: number;
  readonly timeFormat: number;
  /** 0: full reads only, 1: by offset too, 2: by index too, 3: both. */
  readonly dataAccessMethod: number;
  /** Identifications are 0: text, 1: BCD. */
  readonly idForm: number;
  /** 0: two's complement, 1: one's complement, 2: sign and magnitude. */
  readonly intFormat: number;
  readonly niFormat1: number;
  readonly niFormat2: number;
  /** How FIXED_BCD numbers are coded, where the device profile says so: table 0 does not. */
  readonly fixedBcd?: FixedBcd | undefined;
}

/** Digits from the first nibble on, nibble B the point, D the sign. */
export type FixedBcd = "point-b-minus-d";

/** The settings in the first three octets of table 0, which can be read before anything else is known. */
export function genConfigOf(table0: Uint8Array): GenConfig | undefined {
  const [first, second, third] = table0;
  if (first === undefined || second === undefined || third === undefined) return undefined;
  return {
    dataOrder: (first & 1) === 0 ? "little" : "big",
    charFormat: (first >> 1) & 7,
    timeFormat: second & 7,
    dataAccessMethod: (second >> 3) & 3,
    idForm: (second >> 5) & 1,
    intFormat: second >> 6,
    niFormat1: third & 0x0f,
    niFormat2: third >> 4,
  };
}
