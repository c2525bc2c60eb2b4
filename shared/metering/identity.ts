import { z } from "zod";

const IDENTITY_MAX = 64;

/** What a meter says of itself that changes rarely. Text as it is, other octets in hex. */
export const MeterIdentity = z.strictObject({
  /** The version that runs. */
  firmware: z.string().min(1).max(IDENTITY_MAX).optional(),
  /** Name of the tariff program that counts. */
  program: z.string().min(1).max(IDENTITY_MAX).optional(),
});
export type MeterIdentity = z.infer<typeof MeterIdentity>;

/** So long what a meter said of itself is taken for true, ms. */
const IDENTITY_MS = 30 * 86_400_000;

/** Whether a session is to ask it, at `now`; clock of meters, ms. `at`: when it said so last. */
export const isIdentityDue = (identity: { readonly at: number } | undefined, now: number): boolean =>
  identity === undefined || now - identity.at >= IDENTITY_MS;

/** A version or name as a meter has it; undefined: it is blank. */
export function identityText(octets: Uint8Array): string | undefined {
  const end = octets.findLastIndex((octet) => octet !== 0 && octet !== 0x20);
  const said = octets.subarray(0, end + 1);
  if (said.length === 0) return undefined;
  const isText = said.every((octet) => octet >= 0x20 && octet < 0x7f);
  const text = isText
    ? String.fromCharCode(...said).trimStart()
    : Array.from(said, (octet) => octet.toString(16).padStart(2, "0")).join("");
  return text.slice(0, IDENTITY_MAX);
}
