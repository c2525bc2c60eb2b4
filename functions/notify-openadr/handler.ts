import { z } from "zod";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { logger } from "../adapters/telemetry.ts";
import { webhookPost } from "../adapters/webhook-sender.ts";

const env = settings({ CALLBACKS: Setting });
const TIMEOUT_MS = 10_000;
const TRIES = 3;
const PAUSE_MS = 2_000;
const post = webhookPost(env.CALLBACKS === "any" ? "any" : "public", systemClock.now, TIMEOUT_MS);

const Notifications = z.object({
  notifications: z.array(
    z.object({ url: z.url(), token: z.string().optional(), body: z.record(z.string(), z.unknown()) }),
  ),
});
type Notification = z.infer<typeof Notifications>["notifications"][number];

/** Undefined: delivered; else why it was not. */
async function deliver({ url, token, body }: Notification): Promise<string | undefined> {
  const request = {
    url,
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  };
  for (let tries = 1; ; tries++) {
    const answer = await post(request);
    if (answer.kind === "answered" && answer.status >= 200 && answer.status < 300) return undefined;
    const problem = answer.kind === "failed" ? answer.problem : `answered ${answer.status}`;
    const forGood = answer.kind === "failed" ? answer.refused === true : answer.status < 500 && answer.status !== 429;
    if (forGood || tries === TRIES) return problem;
    await systemClock.sleep(PAUSE_MS);
  }
}

/** Tells subscribers' callbacks what happened to an object; one that does not take it is passed over, and logged. */
export const handler = eventHandler(Notifications, async ({ notifications }) => {
  const problems = await Promise.all(notifications.map(deliver));
  let lost = 0;
  for (const [index, { url }] of notifications.entries()) {
    const problem = problems[index];
    if (problem === undefined) continue;
    lost++;
    logger.warn("callback not delivered", { host: new URL(url).host, problem });
  }
  return { told: notifications.length - lost, lost };
});
