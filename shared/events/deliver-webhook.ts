import type { Random } from "../ports/random.ts";
import { afterFailure, type EndpointHealth, FAILURES_TO_OPEN } from "./circuit.ts";
import type { Subscription } from "./subscription.ts";
import { judgeDelivery, type WebhookAnswer, type WebhookMessage } from "./webhook.ts";

/** Subscriptions as stored, and how their endpoints answer. Keys live in `functions/adapters/dynamo-subscriptions.ts`. */
export interface Subscriptions {
  /** If absent. */
  create(subscription: Subscription): Promise<"created" | "exists">;
  /** Strongly consistent. */
  read(subscriptionId: string): Promise<Subscription | undefined>;
  /** By id. */
  list(): Promise<readonly Subscription[]>;
  /** Conditional on `was.version`; written as the next one. */
  write(was: Subscription, next: Subscription): Promise<"written" | "conflict">;
  remove(subscriptionId: string): Promise<void>;
}

export interface EndpointHealths {
  health(subscriptionId: string): Promise<EndpointHealth>;
  /** Of all that ever answered. */
  healths(): Promise<ReadonlyMap<string, EndpointHealth>>;
  succeeded(subscriptionId: string, at: number): Promise<void>;
  /** Counts a failure; answers how it then stands. */
  failed(subscriptionId: string, at: number, problem: string): Promise<EndpointHealth>;
  /** Leaves the endpoint alone until then, at the least. */
  open(subscriptionId: string, until: number): Promise<void>;
  /** Takes the one try after a rest that ended at `openUntil`: the others wait until `until`. False: another took it. */
  probe(subscriptionId: string, openUntil: number, until: number): Promise<boolean>;
  suspend(subscriptionId: string, at: number, because: string): Promise<void>;
  /** As if it had never failed. */
  forgive(subscriptionId: string): Promise<void>;
}

export interface DeliverPorts {
  readonly subscriptions: Pick<Subscriptions, "read">;
  readonly healths: EndpointHealths;
  /** Signs with the secrets that sign now, and posts. */
  readonly post: (subscription: Subscription, message: WebhookMessage, at: number) => Promise<WebhookAnswer>;
  /** Puts a message back into the queue; at the most so long may it be hidden there. */
  readonly sendAgain: (message: WebhookMessage, delayMs: number) => Promise<void>;
  /** Puts a message aside with the reason. */
  readonly park: (message: WebhookMessage, reason: string) => Promise<void>;
  readonly random: Pick<Random, "uint32">;
  readonly now: () => number;
}

/** A message can be hidden so long at the most; longer rests are several. */
const HIDDEN_MAX_MS = 900_000;
/** A try that was taken after a rest is over by then. */
const PROBE_MS = 30_000;
/** How often a paused subscription's messages look whether it is resumed. */
const PAUSED_MS = HIDDEN_MAX_MS;

export interface DeliverFacts {
  readonly did: "delivered" | "waits" | "again" | "parked" | "dropped" | "suspended" | "test-failed";
  readonly problem?: string;
}

/**
 * One message of the queue of webhooks. What becomes of it is done (sent again, parked) before the caller acknowledges the
 * message, so that none is lost; what breaks off between comes twice, under the same delivery id.
 */
export async function deliverWebhook(ports: DeliverPorts, message: WebhookMessage): Promise<DeliverFacts> {
  const { subscriptions, healths, now } = ports;
  const { subscriptionId } = message;
  const subscription = await subscriptions.read(subscriptionId);
  if (subscription === undefined) return { did: "dropped", problem: "the subscription is deleted" };
  const again = async (until: number, next = message): Promise<void> =>
    ports.sendAgain({ ...next, notBefore: until }, Math.min(HIDDEN_MAX_MS, Math.max(0, until - now())));
  /** What is replayed begins again. */
  const park = async (problem: string): Promise<DeliverFacts> => {
    const { notBefore: _, ...rest } = message;
    await ports.park({ ...rest, attempt: 1 }, problem);
    return { did: "parked", problem };
  };

  if (message.test === undefined) {
    const { suspended, openUntil, failures } = await healths.health(subscriptionId);
    if (suspended !== undefined) return park(`the subscription is suspended: ${suspended.because}`);
    const waitsUntil = Math.max(
      subscription.state === "paused" ? now() + PAUSED_MS : 0,
      message.notBefore ?? 0,
      openUntil ?? 0,
    );
    if (waitsUntil > now()) {
      await again(waitsUntil);
      return { did: "waits" };
    }
    const until = now() + PROBE_MS;
    if (
      failures >= FAILURES_TO_OPEN &&
      openUntil !== undefined &&
      !(await healths.probe(subscriptionId, openUntil, until))
    ) {
      await again(until);
      return { did: "waits" };
    }
  }

  const answer = await ports.post(subscription, message, now());
  const chance = ports.random.uint32() / 2 ** 32;
  const verdict = judgeDelivery(answer, message.attempt, chance);
  if (verdict.kind === "delivered") {
    await healths.succeeded(subscriptionId, now());
    return { did: "delivered" };
  }
  const problem = verdict.kind === "gone" ? "the endpoint answered 410: it is gone" : verdict.problem;
  const health = await healths.failed(subscriptionId, now(), problem);
  if (message.test === true) return { did: "test-failed", problem };
  if (verdict.kind === "gone") {
    await healths.suspend(subscriptionId, now(), problem);
    await park(problem);
    return { did: "suspended", problem };
  }
  const { openUntil, suspend } = afterFailure(health, now(), chance);
  if (suspend) {
    await healths.suspend(subscriptionId, now(), `nothing was taken for a day, last: ${problem}`);
    await park(problem);
    return { did: "suspended", problem };
  }
  if (openUntil !== undefined) await healths.open(subscriptionId, openUntil);
  if (verdict.kind === "dead") return park(problem);
  await again(now() + verdict.afterMs, { ...message, attempt: message.attempt + 1 });
  return { did: "again", problem };
}
