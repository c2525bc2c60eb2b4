import { z } from "zod";
import { EVENTS } from "../metering/event-catalogue.ts";
import type { Storm } from "./storm.ts";
import { severityOf, type ToldEvent } from "./told-event.ts";

/**
 * What a webhook gets: CloudEvents 1.0 in a JSON batch, signed as Standard Webhooks say. At least once: a receiver tells
 * a repetition by `webhook-id` (of the delivery) and by `id` (of each event).
 */
export const CONTENT_TYPE = "application/cloudevents-batch+json";
const TYPES = {
  device: "io.headrace.event.device.v1",
  outage: "io.headrace.outage.v1",
  job: "io.headrace.job.closed.v1",
} as const;

const cloudEvent = (source: string, type: string, id: string, subject: string, at: number, data: object) => ({
  specversion: "1.0",
  id,
  source,
  type,
  subject,
  time: new Date(at).toISOString(),
  datacontenttype: "application/json",
  data,
});

function eventOf(source: string, event: ToldEvent) {
  const type = TYPES[event.kind];
  switch (event.kind) {
    case "device": {
      const { id, meterId, event: name, at, receivedAt, log, code, sequence, argument } = event;
      return cloudEvent(source, type, id, meterId, at, {
        event: name,
        severity: severityOf(event),
        endDeviceEventType: EVENTS[name].cim,
        receivedAt: new Date(receivedAt).toISOString(),
        log,
        code,
        ...(sequence === undefined ? {} : { sequence }),
        ...(argument === undefined ? {} : { argument }),
      });
    }
    case "outage":
      return cloudEvent(source, type, event.id, event.outageId, event.at, event.body);
    case "job": {
      const { id, jobId, operation, at, tasks } = event;
      return cloudEvent(source, type, id, jobId, at, { operation, severity: severityOf(event), tasks });
    }
  }
}

/** `source`: names the deployment, the same for ever: (source, id) tells events apart. */
export const cloudEvents = (source: string, events: readonly ToldEvent[]): string =>
  JSON.stringify(events.map((event) => eventOf(source, event)));

/** Like events of many meters as one: how many, some of them, and where all are found. */
export function stormEvent(source: string, id: string, storm: Storm): string {
  const { subscriptionId, stormId, event, feeder, count, meterIds, firstAt, lastAt } = storm;
  return JSON.stringify([
    cloudEvent(source, "io.headrace.event.device-storm.v1", id, feeder ?? event, lastAt, {
      event,
      severity: EVENTS[event].severity,
      endDeviceEventType: EVENTS[event].cim,
      ...(feeder === undefined ? {} : { feeder }),
      count,
      meters: meterIds,
      firstAt: new Date(firstAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
      events: `/subscriptions/${subscriptionId}/storms/${stormId}`,
    }),
  ]);
}

export const testEvent = (source: string, id: string, subscriptionId: string, at: number): string =>
  JSON.stringify([
    cloudEvent(source, "io.headrace.subscription.test.v1", id, subscriptionId, at, { message: "It works." }),
  ]);

/** One message of the queue of webhooks. Instants are clock ms. */
export const WebhookMessage = z.strictObject({
  subscriptionId: z.string(),
  /** `webhook-id`. */
  deliveryId: z.string(),
  /** As it is sent and signed. */
  body: z.string(),
  /** From 1. */
  attempt: z.int().min(1),
  /** It is not tried before. */
  notBefore: z.int().optional(),
  /** Tried once, whatever state the subscription is in. */
  test: z.literal(true).optional(),
});
export type WebhookMessage = z.infer<typeof WebhookMessage>;

/** What is signed: id, seconds of this attempt, and the body's own octets. */
export const signedContent = (id: string, timestamp: number, body: string): Uint8Array =>
  new TextEncoder().encode(`${id}.${timestamp}.${body}`);

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Rests between the tries of one delivery. */
const RESTS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 11 * HOUR_MS];
const REST_MAX_MS = 11.5 * HOUR_MS;

/** What an endpoint said: its status, or why there is none; `retryAfterMs` where it asked for time; `refused`: by us, nothing was sent. */
export type WebhookAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: "failed"; readonly problem: string; readonly refused?: true };

/**
 * What becomes of a delivery after its `attempt` (from 1). `gone`: the endpoint wants nothing any more. A redirection is a
 * failure: nobody is followed. `chance`: from 0 to 1, for a jitter of a tenth.
 */
export type DeliveryVerdict =
  | { readonly kind: "delivered" }
  | { readonly kind: "again"; readonly afterMs: number; readonly problem: string }
  | { readonly kind: "dead"; readonly problem: string }
  | { readonly kind: "gone" };

const GONE = 410;

export function judgeDelivery(answer: WebhookAnswer, attempt: number, chance: number): DeliveryVerdict {
  if (answer.kind === "answered" && answer.status >= 200 && answer.status < 300) return { kind: "delivered" };
  if (answer.kind === "answered" && answer.status === GONE) return { kind: "gone" };
  const problem = answer.kind === "failed" ? answer.problem : `the endpoint answered ${answer.status}`;
  const rest = RESTS_MS[attempt - 1];
  if (rest === undefined) return { kind: "dead", problem: `${problem}, ${attempt} times` };
  const asked = answer.kind === "answered" ? (answer.retryAfterMs ?? 0) : 0;
  return {
    kind: "again",
    afterMs: Math.round(Math.min(REST_MAX_MS, Math.max(rest * (1 + chance / 10), asked))),
    problem,
  };
}
