/** Narrow no-break space: groups digits without being taken for a decimal sign in any language. */
const GROUP = "\u202f";

/** Units that are read in thousands on a screen. The shift is exact: it moves the decimal sign, nothing is rounded. */
const IN_THOUSANDS: Readonly<Record<string, string>> = { Wh: "kWh", varh: "kvarh", W: "kW" };
const AS_WRITTEN: Readonly<Record<string, string>> = { m3: "m³" };

/**
 * `value × 10^scaler` with every digit, e.g. ("1234567", -3) → "1 234.567". `value` is the decimal string of an integer of
 * any size. Throws RangeError on anything else.
 */
export function scaledDecimal(value: string, scaler: number): string {
  if (!/^-?\d+$/.test(value) || !Number.isInteger(scaler))
    throw new RangeError(`expected an integer and a whole scaler, got ${value} and ${scaler}`);
  const integer = BigInt(value);
  const digits = (integer < 0n ? -integer : integer).toString() + "0".repeat(Math.max(scaler, 0));
  const places = Math.max(-scaler, 0);
  const padded = digits.padStart(places + 1, "0");
  const whole = padded.slice(0, padded.length - places).replace(/^0+(?=\d)/, "");
  const fraction = padded.slice(padded.length - places);
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, GROUP);
  return `${integer < 0n ? "−" : ""}${grouped}${places > 0 ? `.${fraction}` : ""}`;
}

export interface ShownUnit {
  readonly unit: string;
  /** To be added to the scaler. */
  readonly shift: number;
}

export function shownUnit(unit: string): ShownUnit {
  const thousands = IN_THOUSANDS[unit];
  return thousands === undefined ? { unit: AS_WRITTEN[unit] ?? unit, shift: 0 } : { unit: thousands, shift: -3 };
}

/** Value and unit for people, e.g. ("1234567", 0, "Wh") → "1 234.567 kWh". */
export function quantity(value: string, scaler: number, unit: string): string {
  const shown = shownUnit(unit);
  return `${scaledDecimal(value, scaler + shown.shift)} ${shown.unit}`;
}

/** A count with its digits grouped. */
export const count = (value: number): string => scaledDecimal(String(value), 0);

/** A count of things, e.g. (1, "gap") → "1 gap", (1200, "batch", "batches") → "1 200 batches". */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** For a chart only: the nearest float. */
export const approximately = (value: bigint, scaler: number): number => Number(value) * 10 ** scaler;
