import { readFile } from "node:fs/promises";
import { MeterKeys } from "../../shared/metering/meter-keys.ts";
import { DeviceProfile } from "../../shared/metering/profile.ts";

/** Wrong options of a command that talks with one meter. */
export class UsageError extends Error {}

export function whole(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${option}: expected a whole number of ${least} to ${most}, got ${text}`);
}

/** `file`'s content never shows in an error: it may be keys. */
async function jsonIn(option: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    throw new UsageError(`--${option}: expected a readable file of JSON, got ${file}`);
  }
}

export async function profileIn(file: string): Promise<DeviceProfile> {
  const parsed = DeviceProfile.safeParse(await jsonIn("access", file));
  if (parsed.success) return parsed.data;
  throw new UsageError(`--access: ${file} is no device profile: ${parsed.error.issues[0]?.message}`);
}

export async function keysIn(file: string): Promise<MeterKeys> {
  const parsed = MeterKeys.safeParse(await jsonIn("keys", file));
  if (parsed.success) return parsed.data;
  throw new UsageError(`--keys: ${file} holds no meter keys, at ${parsed.error.issues[0]?.path.join(".")}`);
}
