import { z } from "zod";

/** Amounts that a meter keeps have 32 bits. */
export const METER_AMOUNT_MAX = 0x7fff_ffff;
const Amount = z
  .int()
  .min(-METER_AMOUNT_MAX - 1)
  .max(METER_AMOUNT_MAX);

/** A top-up: `value × 10^scaler` of the currency. */
export const CreditAmount = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, "expected an ISO 4217 code"),
  value: z.int().min(1).max(METER_AMOUNT_MAX),
  scaler: z.int().min(-6).max(6),
});
export type CreditAmount = z.infer<typeof CreditAmount>;

/** A token as its gateway takes it, hex. What it says is between who issued it and the meter. */
export const Token = z.string().regex(/^(?:[0-9a-f]{2}){1,128}$/, "expected up to 128 octets as lower-case hex");

export const TOKEN_STATES = [
  "received",
  "format-ok",
  "authentication-ok",
  "validation-ok",
  "executed",
  "format-failure",
  "authentication-failure",
  "validation-failure",
  "execution-failure",
  "unknown",
] as const;

/** The credit that a meter keeps by itself, as it shows it. Amounts × 10^scaler of the currency. */
export const MeterCredit = z.strictObject({
  /** What the meter calls its currency; `unit`: what it counts in. */
  currency: z.strictObject({
    name: z.string().max(32),
    scaler: z.int(),
    unit: z.enum(["time", "consumption", "money"]),
  }),
  /** Whether the meter cuts off who has used it up. */
  mode: z.enum(["credit", "prepayment"]),
  account: z.enum(["new", "active", "closed"]),
  /** What is left of the credit that is topped up. */
  amount: Amount,
  /** What all its credits come to. */
  available: Amount,
  /** What its charges have collected in all. With `amount` it is what was ever put in. */
  collected: z.int(),
  status: z.enum(["enabled", "selectable", "invoked", "in-use", "exhausted"]),
  /** The last token that came, however it came. */
  token: z
    .strictObject({ octets: z.string().max(512), at: z.int().optional(), state: z.enum(TOKEN_STATES) })
    .optional(),
});
export type MeterCredit = z.infer<typeof MeterCredit>;
