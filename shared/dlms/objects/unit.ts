/** `unit` of scaler_unit (IEC 62056-6-2, enumeration of units): the ones of the measurement catalogue, and their kin. */
export const UNIT = {
  "°C": 9,
  m3: 13,
  W: 27,
  VA: 28,
  var: 29,
  Wh: 30,
  VAh: 31,
  varh: 32,
  A: 33,
  V: 35,
  Hz: 44,
  count: 255,
} as const satisfies Record<string, number>;

/** The code of a unit's symbol; undefined when the table has none. */
export const unitCode = (symbol: string): number | undefined => (UNIT as Readonly<Record<string, number>>)[symbol];
