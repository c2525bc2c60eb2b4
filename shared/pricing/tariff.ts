import { z } from "zod";
import { calendarText, Price, TariffCalendar, Tier } from "../metering/tariff-calendar.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";

export const TariffId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, "expected 1 to 32 letters, digits, '.', '_' or '-'");
export const TariffVersion = z.int().min(1).max(9999);

/** What a tariff says: when which tier counts, and what each costs. */
export const TariffContent = z
  .strictObject({
    description: z.string().max(200).optional(),
    calendar: TariffCalendar,
    /** Every tier of the calendar once. */
    prices: z
      .array(z.strictObject({ tier: Tier, label: z.string().max(40).optional(), price: Price }))
      .min(1)
      .max(8),
    /** What a unit costs while a critical peak was called. */
    criticalPeak: Price.optional(),
  })
  .superRefine(({ calendar, prices, criticalPeak }, context) => {
    const used = new Set(calendar.days.flatMap(({ switches }) => switches.map(({ tier }) => tier)));
    const priced = new Set(prices.map(({ tier }) => tier));
    const complete = priced.size === prices.length && [...used].every((tier) => priced.has(tier));
    if (!complete) context.addIssue({ code: "custom", path: ["prices"], message: "expected one price a tier" });
    const currencies = new Set(
      [...prices.map(({ price }) => price), ...(criticalPeak ? [criticalPeak] : [])].map((one) => one.currency),
    );
    if (currencies.size > 1) context.addIssue({ code: "custom", path: ["prices"], message: "expected one currency" });
  });
export type TariffContent = z.infer<typeof TariffContent>;

/** One version: what it says never changes. */
export const Tariff = z.strictObject({
  tariffId: TariffId,
  version: TariffVersion,
  content: TariffContent,
  /** SHA-256 of its calendar, as meters' programs are compared by; hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Clock ms. */
  createdAt: z.int(),
  by: z.strictObject({ id: z.string(), name: z.string().optional() }),
});
export type Tariff = z.infer<typeof Tariff>;

/** Tariffs as stored. Keys live in `functions/adapters/dynamo-named.ts`. */
export interface Tariffs {
  /** `exists`: this version is there, whatever it says. */
  create(tariff: Tariff): Promise<"created" | "exists">;
  read(tariffId: string, version: number): Promise<Tariff | undefined>;
  /** By id and version, ascending. */
  list(): Promise<readonly Tariff[]>;
}

export const calendarDigest = (crypto: Crypto, calendar: TariffCalendar): string =>
  toHex(crypto.hash("sha256", new TextEncoder().encode(calendarText(calendar))));

/** The same version with the same content again is the same; with another it is refused. */
export const sameContent = (left: TariffContent, right: TariffContent): boolean =>
  JSON.stringify(TariffContent.parse(left)) === JSON.stringify(TariffContent.parse(right));
