import type { ApiClient } from "../api/client.ts";

/**
 * What time it is for the headend, clock milliseconds: "the last 24 hours" are its own, and this computer's clock may be
 * wrong. Readings say it; those of the given meter are asked for, or of any. Without a meter: this computer's time.
 */
export async function headendNow(api: ApiClient, meterId: string | undefined): Promise<number> {
  const known = meterId ?? (await api("listMeters", { query: { limit: "1" } })).meters[0]?.meterId;
  if (known === undefined) return Date.now();
  return Date.parse((await api("readReadings", { params: { meterId: known } })).asOf);
}
