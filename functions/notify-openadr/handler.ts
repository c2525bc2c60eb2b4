import { lookup } from "node:dns/promises";
import { z } from "zod";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { isPublicAddress } from "../adapters/public-address.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { logger } from "../adapters/telemetry.ts";

const env = settings({ CALLBACKS: Setting });
const TIMEOUT_MS = 10_000;
const TRIES = 3;
const PAUSE_MS = 2_000;

const Notifications = z.object({
  notifications: z.array(
    z.object({ url: z.url(), token: z.string().optional(), body: z.record(z.string(), z.unknown()) }),
  ),
});
type Notification = z.infer<typeof Notifications>["notifications"][number];

/** Whether a callback may be called: https, and nothing of the network that this runs in; `any`: of a machine by itself. */
async function allowed(url: string): Promise<boolean> {
  if (env.CALLBACKS === "any") return true;
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:") return false;
  const addresses = await lookup(hostname, { all: true });
  return addresses.length > 0 && addresses.every(({ address }) => isPublicAddress(address));
}

async function deliver({ url, token, body }: Notification): Promise<boolean> {
  for (let tries = 1; tries <= TRIES; tries++) {
    try {
      if (!(await allowed(url))) return false;
      const answer = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.ok) return true;
      if (answer.status < 500 && answer.status !== 429) return false;
    } catch {
      // Not reached: once more.
    }
    if (tries < TRIES) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return false;
}

/** Tells subscribers' callbacks what happened to an object; one that does not take it is passed over, and logged. */
export const handler = eventHandler(Notifications, async ({ notifications }) => {
  const delivered = await Promise.all(notifications.map(deliver));
  const lost = notifications.filter((_, index) => !delivered[index]);
  for (const { url } of lost) logger.warn("callback not delivered", { host: new URL(url).host });
  return { told: notifications.length - lost.length, lost: lost.length };
});
