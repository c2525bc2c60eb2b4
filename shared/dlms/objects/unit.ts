/**
 * `unit` of scaler_unit (IEC 62056-6-2, enumeration of units), by symbol. Codes as four public sources have them:
 * docs/standards.md. 58, 59, 68, 69 and 73 to 127 are reserved.
 */
export const UNIT = {
  a: 1,
  mo: 2,
  wk: 3,
  d: 4,
  h: 5,
  min: 6,
  s: 7,
  "°": 8,
  "°C": 9,
  /** Local currency. */
  currency: 10,
  m: 11,
  "m/s": 12,
  m3: 13,
  /** Converted to base conditions; so 16 and 18. */
  "m3 corrected": 14,
  "m3/h": 15,
  "m3/h corrected": 16,
  "m3/d": 17,
  "m3/d corrected": 18,
  l: 19,
  kg: 20,
  N: 21,
  Nm: 22,
  Pa: 23,
  bar: 24,
  J: 25,
  "J/h": 26,
  W: 27,
  VA: 28,
  var: 29,
  Wh: 30,
  VAh: 31,
  varh: 32,
  A: 33,
  C: 34,
  V: 35,
  "V/m": 36,
  F: 37,
  Ω: 38,
  "Ωm2/m": 39,
  Wb: 40,
  T: 41,
  "A/m": 42,
  H: 43,
  Hz: 44,
  /** Pulse constants of active, reactive and apparent energy. */
  "1/Wh": 45,
  "1/varh": 46,
  "1/VAh": 47,
  V2h: 48,
  A2h: 49,
  "kg/s": 50,
  S: 51,
  K: 52,
  "1/V2h": 53,
  "1/A2h": 54,
  "1/m3": 55,
  "%": 56,
  Ah: 57,
  "Wh/m3": 60,
  "J/m3": 61,
  "Mol %": 62,
  "g/m3": 63,
  "Pa s": 64,
  "J/kg": 65,
  "g/cm2": 66,
  atm: 67,
  dBm: 70,
  dBµV: 71,
  dB: 72,
  in: 128,
  ft: 129,
  lb: 130,
  "°F": 131,
  "°R": 132,
  in2: 133,
  ft2: 134,
  acre: 135,
  in3: 136,
  ft3: 137,
  "acre ft": 138,
  "gal (imp)": 139,
  "gal (US)": 140,
  lbf: 141,
  psi: 142,
  "lb/ft3": 143,
  "lb/(ft s)": 144,
  "ft2/s": 145,
  Btu: 146,
  "thm (EC)": 147,
  "thm (US)": 148,
  "Btu/lb": 149,
  "Btu/ft3": 150,
  /** RV, the value of a pulse; so 161 and 166. */
  "ft3 RV": 151,
  "ft/s": 152,
  "ft3/s": 153,
  "ft3/min": 154,
  "ft3/h": 155,
  "ft3/d": 156,
  "acre ft/s": 157,
  "acre ft/min": 158,
  "acre ft/h": 159,
  "acre ft/d": 160,
  "gal (imp) RV": 161,
  "gal (imp)/s": 162,
  "gal (imp)/min": 163,
  "gal (imp)/h": 164,
  "gal (imp)/d": 165,
  "gal (US) RV": 166,
  "gal (US)/s": 167,
  "gal (US)/min": 168,
  "gal (US)/h": 169,
  "gal (US)/d": 170,
  "Btu/s": 171,
  "Btu/min": 172,
  "Btu/h": 173,
  "Btu/d": 174,
  other: 254,
  count: 255,
} as const satisfies Record<string, number>;
export type UnitSymbol = keyof typeof UNIT;

const symbols: ReadonlyMap<number, UnitSymbol> = new Map(
  Object.entries(UNIT).map(([symbol, code]) => [code, symbol as UnitSymbol]),
);
/** The symbol of a code; undefined: a reserved one. */
export const unitSymbol = (code: number): UnitSymbol | undefined => symbols.get(code);

/** Units in which meters count what the measurement catalogue has in another, a power of ten apart. */
const KIN: Readonly<Record<string, readonly (readonly [code: number, exponent: number])[]>> = {
  m3: [
    [UNIT["m3 corrected"], 0],
    [UNIT.l, -3],
  ],
  "1": [[UNIT.count, 0]],
};

/**
 * 10^exponent turns a value in the unit of this code into one in the unit of the symbol, which is the measurement
 * catalogue's. Undefined: they measure different things.
 */
export function unitExponent(symbol: string, code: number): number | undefined {
  if ((UNIT as Readonly<Record<string, number>>)[symbol] === code) return 0;
  return KIN[symbol]?.find(([each]) => each === code)?.[1];
}
