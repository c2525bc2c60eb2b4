import { SessionError } from "./failure.ts";
import type { Operation } from "./operation.ts";

type SendPrice = Extract<Operation, { readonly kind: "sendPrice" }>;

const WORDS = { "critical-peak": "CRITICAL PEAK", "real-time": "PRICE" } as const;

/** `value × 10^scaler` in digits: 25.43 as `0.2543` for 2543 and -4. */
export function decimalText(value: number, scaler: number): string {
  const digits = String(Math.abs(value)).padStart(1 - scaler, "0");
  const whole = digits.slice(0, digits.length + scaler);
  const fraction = digits.slice(digits.length + scaler);
  return `${value < 0 ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

const minute = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16)}Z`;

/** What a display shows, from when until when it holds. ASCII. */
export const priceText = ({ price: { currency, value, scaler }, because, from, until }: SendPrice): string =>
  `${WORDS[because]} ${currency} ${decimalText(value, scaler)} ${minute(from)}/${minute(until)}`;

/** Throws `SessionError` `price.over`: a price that has ended is not shown any more. */
export function checkPrice({ until }: SendPrice, now: number): void {
  if (now >= until) throw new SessionError("refused", "price.over", "the price has ended", { detail: { until } });
}
