import { EVENTS } from "../metering/event-catalogue.ts";
import type { ToldEvent } from "./subscription.ts";

/**
 * What a webhook gets: CloudEvents 1.0 in a JSON batch, signed as Standard Webhooks say. At least once: a receiver tells
 * a repetition by `webhook-id` (of the delivery) and by `id` (of each event).
 */
export const CONTENT_TYPE = "application/cloudevents-batch+json";
const EVENT_TYPE = "io.headrace.event.device.v1";

/** `source`: names the deployment, the same for ever: (source, id) tells events apart. */
export const cloudEvents = (source: string, events: readonly ToldEvent[]): string =>
  JSON.stringify(
    events.map(({ id, meterId, event, at, receivedAt, log, code, sequence, argument }) => ({
      specversion: "1.0",
      id,
      source,
      type: EVENT_TYPE,
      subject: meterId,
      time: new Date(at).toISOString(),
      datacontenttype: "application/json",
      data: {
        event,
        severity: EVENTS[event].severity,
        endDeviceEventType: EVENTS[event].cim,
        receivedAt: new Date(receivedAt).toISOString(),
        log,
        code,
        ...(sequence === undefined ? {} : { sequence }),
        ...(argument === undefined ? {} : { argument }),
      },
    })),
  );

/** What is signed: id, seconds of this attempt, and the body's own octets. */
export const signedContent = (id: string, timestamp: number, body: string): Uint8Array =>
  new TextEncoder().encode(`${id}.${timestamp}.${body}`);

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Rests between the tries of one delivery; a queue hides a message for twelve hours at the most. */
const RESTS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 11 * HOUR_MS];
const REST_MAX_MS = 11.5 * HOUR_MS;

/** What an endpoint said: its status, or why there is none; `retryAfterMs` where it asked for time. */
export type WebhookAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: "failed"; readonly problem: string };

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
