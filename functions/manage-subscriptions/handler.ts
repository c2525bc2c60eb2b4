import { type EndpointHealth, HEALTHY } from "../../shared/events/circuit.ts";
import { SUBSCRIPTIONS_MAX, type Subscription } from "../../shared/events/subscription.ts";
import { testEvent } from "../../shared/events/webhook.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { maySee } from "../../shared/security/ownership.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoSealedSecrets } from "../adapters/dynamo-sealed-secrets.ts";
import { dynamoStorms } from "../adapters/dynamo-storms.ts";
import { dynamoEndpointHealths, dynamoSubscriptions } from "../adapters/dynamo-subscriptions.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsWebhooks } from "../adapters/sqs-events.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { newId, systemRandom } from "../adapters/system-random.ts";
import { webhookProblem } from "../adapters/webhook-sender.ts";

const env = settings({
  DEPLOYMENT: Setting,
  LEDGER_TABLE: Setting,
  TIMELINE_TABLE: Setting,
  WEBHOOKS_QUEUE_URL: Setting,
  CALLBACKS: Setting,
});
const db = documentClient();
const subscriptions = dynamoSubscriptions(db, env.LEDGER_TABLE);
const healths = dynamoEndpointHealths(db, env.LEDGER_TABLE);
const secrets = dynamoSealedSecrets(db, env.LEDGER_TABLE, vaultOfEnvironment().vault, "webhook-secret");
const storms = dynamoStorms(db, env.TIMELINE_TABLE);
const webhooks = sqsWebhooks(sqsClient(), env.WEBHOOKS_QUEUE_URL);
const audit = auditOfEnvironment();
const reach = env.CALLBACKS === "any" ? "any" : "public";
const SECRET_OCTETS = 32;
const HOUR_MS = 3_600_000;
/** Secrets that were replaced and still sign. */
const SECRETS_MAX = 8;
const TRIES = 5;
const STORM_PARTS = 10;

/** Written before it happens; of a URL the host alone, since its path may hold what only the endpoint may know. */
const noted = ({ id, name }: Caller, action: string, subscriptionId: string, url?: string): Promise<void> =>
  audit.append({
    at: systemClock.now(),
    by: { id, ...(name === undefined ? {} : { name }) },
    action: `subscription.${action}`,
    detail: { subscriptionId, ...(url === undefined ? {} : { host: new URL(url).host.slice(0, 256) }) },
  });

const unknown = (subscriptionId: string) =>
  refuse("not-found", `There is no subscription ${subscriptionId}.`, {
    field: "subscriptionId",
    expected: "the id of a subscription",
    received: subscriptionId,
  });

const changing = () => refuse("unavailable", "The subscription is being changed. Try again.");

function urlRefusal(url: string) {
  const problem = webhookProblem(url, reach);
  return problem === undefined
    ? undefined
    : refuse("unprocessable", "The URL cannot be a webhook.", { field: "url", expected: problem });
}

function viewOf(subscription: Subscription, health: EndpointHealth) {
  const now = systemClock.now();
  const { version: _, owner, secrets: signing, ...rest } = subscription;
  const { id, name } = owner;
  const resting = health.openUntil !== undefined && health.openUntil > now;
  const state =
    health.suspended !== undefined
      ? ("suspended" as const)
      : rest.state === "paused"
        ? ("paused" as const)
        : resting
          ? ("resting" as const)
          : ("active" as const);
  return {
    ...rest,
    state,
    owner: { id, ...(name === undefined ? {} : { name }) },
    secrets: signing.filter(({ until }) => until === undefined || until > now).length,
    health,
  };
}

/** Makes a secret: sealed under the version, and as it is shown once. */
async function madeSecret(subscriptionId: string, version: number): Promise<string> {
  const octets = systemRandom.octets(SECRET_OCTETS);
  const shown = `whsec_${Buffer.from(octets).toString("base64")}`;
  await secrets.put(subscriptionId, version, octets);
  return shown;
}

const own = async (subscriptionId: string, caller: Caller): Promise<Subscription | undefined> => {
  const found = await subscriptions.read(subscriptionId);
  return found !== undefined && maySee(caller, found.owner.id) ? found : undefined;
};

async function changed(
  subscriptionId: string,
  caller: Caller,
  action: string,
  change: (was: Subscription) => Subscription,
): Promise<Subscription | ReturnType<typeof refuse>> {
  for (let tries = 0; tries < TRIES; tries++) {
    const was = await own(subscriptionId, caller);
    if (was === undefined) return unknown(subscriptionId);
    const next = { ...change(was), modifiedAt: systemClock.now() };
    if (tries === 0) await noted(caller, action, subscriptionId, next.url === was.url ? undefined : next.url);
    if ((await subscriptions.write(was, next)) === "written") return next;
  }
  return changing();
}

const answered = async (outcome: Subscription | ReturnType<typeof refuse>) =>
  "refused" in outcome ? outcome : { status: 200, body: viewOf(outcome, await healths.health(outcome.subscriptionId)) };

export const handler = httpHandler({
  async createSubscription({ body: { url, filter, description }, caller }) {
    const refused = urlRefusal(url);
    if (refused !== undefined) return refused;
    if ((await subscriptions.list()).length >= SUBSCRIPTIONS_MAX)
      return refuse("conflict", `There are ${SUBSCRIPTIONS_MAX} subscriptions already.`, {
        field: "url",
        expected: "fewer subscriptions: delete one",
      });
    const now = systemClock.now();
    const subscriptionId = newId(now);
    await noted(caller, "created", subscriptionId, url);
    const secret = await madeSecret(subscriptionId, now);
    const subscription: Subscription = {
      subscriptionId,
      ...(description === undefined ? {} : { description }),
      url,
      filter,
      owner: { ...caller, roles: [...caller.roles] },
      state: "active",
      secrets: [{ version: now }],
      createdAt: now,
      modifiedAt: now,
      version: 1,
    };
    await subscriptions.create(subscription);
    return { status: 201, body: { ...viewOf(subscription, HEALTHY), secret } };
  },
  async listSubscriptions({ query: { cursor, limit }, caller }) {
    const [all, known] = await Promise.all([subscriptions.list(), healths.healths()]);
    const seen = all.filter(
      ({ owner, subscriptionId }) => maySee(caller, owner.id) && (cursor === undefined || subscriptionId > cursor),
    );
    const page = seen.slice(0, limit);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        subscriptions: page.map((one) => viewOf(one, known.get(one.subscriptionId) ?? HEALTHY)),
        ...(seen.length > page.length && last !== undefined ? { next: last.subscriptionId } : {}),
      },
    };
  },
  async readSubscription({ params: { subscriptionId }, caller }) {
    return answered((await own(subscriptionId, caller)) ?? unknown(subscriptionId));
  },
  async changeSubscription({ params: { subscriptionId }, body: { url, filter, description }, caller }) {
    const refused = urlRefusal(url);
    if (refused !== undefined) return refused;
    return answered(
      await changed(subscriptionId, caller, "changed", ({ description: _, ...was }) => ({
        ...was,
        url,
        filter,
        ...(description === undefined ? {} : { description }),
      })),
    );
  },
  async deleteSubscription({ params: { subscriptionId }, caller }) {
    const found = await own(subscriptionId, caller);
    if (found === undefined) return unknown(subscriptionId);
    await noted(caller, "deleted", subscriptionId);
    await subscriptions.remove(subscriptionId);
    for (const { version } of found.secrets) await secrets.remove(subscriptionId, version);
    return { status: 204 };
  },
  async pauseSubscription({ params: { subscriptionId }, caller }) {
    return answered(await changed(subscriptionId, caller, "paused", (was) => ({ ...was, state: "paused" })));
  },
  async resumeSubscription({ params: { subscriptionId }, caller }) {
    const resumed = await changed(subscriptionId, caller, "resumed", (was) => ({ ...was, state: "active" }));
    if (!("refused" in resumed)) await healths.forgive(subscriptionId);
    return answered(resumed);
  },
  async testSubscription({ params: { subscriptionId }, caller }) {
    const found = await own(subscriptionId, caller);
    if (found === undefined) return unknown(subscriptionId);
    const now = systemClock.now();
    const deliveryId = newId(now);
    const body = testEvent(`/headrace/${env.DEPLOYMENT}`, deliveryId, subscriptionId, now);
    await webhooks.send([{ subscriptionId, deliveryId, body, attempt: 1, test: true }]);
    return { status: 202, body: { deliveryId } };
  },
  async rotateSubscriptionSecret({ params: { subscriptionId }, body: { overlapHours }, caller }) {
    const now = systemClock.now();
    const until = now + overlapHours * HOUR_MS;
    if ((await own(subscriptionId, caller)) === undefined) return unknown(subscriptionId);
    const secret = await madeSecret(subscriptionId, now);
    const gone: number[] = [];
    const rotated = await changed(subscriptionId, caller, "secret-changed", (was) => {
      const kept = was.secrets
        .map(({ version, until: end }) => ({ version, until: Math.min(end ?? until, until) }))
        .filter(({ until: end }) => end > now)
        .slice(0, SECRETS_MAX - 1);
      const versions = new Set(kept.map(({ version }) => version));
      gone.splice(0, gone.length, ...was.secrets.map(({ version }) => version).filter((one) => !versions.has(one)));
      return { ...was, secrets: [{ version: now }, ...kept] };
    });
    if ("refused" in rotated) return rotated;
    for (const version of gone) await secrets.remove(subscriptionId, version);
    return { status: 200, body: { ...viewOf(rotated, await healths.health(subscriptionId)), secret } };
  },
  async readStorm({ params: { subscriptionId, stormId }, query: { cursor }, caller }) {
    if ((await own(subscriptionId, caller)) === undefined) return unknown(subscriptionId);
    const parts = await storms.parts({ subscriptionId, stormId }, cursor ?? "", STORM_PARTS);
    const [first] = parts;
    if (first === undefined && cursor === undefined)
      return refuse("not-found", "There is no such storm.", { field: "stormId", expected: "one of the last 14 days" });
    const last = parts.at(-1);
    return {
      status: 200,
      body: {
        stormId,
        ...(first === undefined ? {} : { event: first.event }),
        ...(first?.feeder === undefined ? {} : { feeder: first.feeder }),
        events: parts.flatMap(({ events }) => events),
        ...(parts.length === STORM_PARTS && last !== undefined ? { next: last.noticeId } : {}),
      },
    };
  },
});
