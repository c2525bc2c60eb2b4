import { scaledDecimal } from "../figures/scaled-decimal.ts";

/** Decimal places of a currency, by the browser's own data; 2 where it does not know the code. */
export function placesOf(currency: string): number {
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** An amount in minor units, for people: (-1250, "EUR") → "−12.50 EUR". */
export const money = (minor: number, currency: string): string =>
  `${scaledDecimal(String(minor), -placesOf(currency))} ${currency}`;

/** What somebody wrote, in minor units; undefined: it is no amount above 0, or has too many places. */
export function minorUnits(text: string, currency: string): number | undefined {
  const places = placesOf(currency);
  const [, whole = "", fraction = ""] = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text.trim()) ?? [];
  if (whole === "" || fraction.length > places) return undefined;
  const minor = Number(whole + fraction.padEnd(places, "0"));
  return minor > 0 ? minor : undefined;
}
