import { z } from "zod";
import { EventFilter } from "../events/subscription.ts";
import { EventNameSchema } from "../metering/event-catalogue.ts";
import { Instant } from "./instant.ts";
import { Cursor, limitUpTo } from "./page.ts";

export const SubscriptionId = z.string().regex(/^[a-z0-9]{1,64}$/, "expected the id of a subscription");
export const SubscriptionPath = z.strictObject({ subscriptionId: SubscriptionId });

/** POST /subscriptions, and PUT of one. */
export const SubscriptionBody = z.strictObject({
  description: z.string().min(1).max(200).optional(),
  /** https, on the open internet. */
  url: z.string().min(1).max(2000),
  /** Absent: everything that the caller may be told of. */
  filter: EventFilter.default({}),
});

export const ENDPOINT_STATES = ["active", "paused", "resting", "suspended"] as const;

export const SubscriptionInApi = z.strictObject({
  subscriptionId: z.string(),
  description: z.string().optional(),
  url: z.string(),
  filter: EventFilter,
  owner: z.strictObject({ id: z.string(), name: z.string().optional() }),
  /**
   * `paused`: by a person; nothing more is gathered for it. `resting`: its endpoint fails, and is tried again at `openUntil`.
   * `suspended`: its endpoint has taken nothing for a day, or said that it is gone; what comes is parked until it is resumed.
   */
  state: z.enum(ENDPOINT_STATES),
  createdAt: Instant,
  modifiedAt: Instant,
  /** How many secrets sign now: two while one is replaced. */
  secrets: z.int(),
  health: z.strictObject({
    /** In a row. */
    failures: z.int(),
    failingSince: Instant.optional(),
    openUntil: Instant.optional(),
    lastFailure: z.strictObject({ at: Instant, problem: z.string() }).optional(),
    lastDeliveredAt: Instant.optional(),
    suspended: z.strictObject({ at: Instant, because: z.string() }).optional(),
  }),
});

/** The one time that the secret is shown. */
export const SubscriptionWithSecret = SubscriptionInApi.extend({
  /** `whsec_` and base64, as Standard Webhooks' libraries take it. */
  secret: z.string(),
});

export const SubscriptionQuery = z.strictObject({ cursor: Cursor.optional(), limit: limitUpTo(200, 50) });
export const SubscriptionList = z.strictObject({
  subscriptions: z.array(SubscriptionInApi),
  next: Cursor.optional(),
});

/** POST /subscriptions/{subscriptionId}/secret: for so long the old one signs too. */
export const SecretRotation = z.strictObject({ overlapHours: z.int().min(0).max(168).default(24) }).default({
  overlapHours: 24,
});

export const TestAccepted = z.strictObject({
  /** The `webhook-id` that the endpoint gets; what came of it is in the subscription's `health`. */
  deliveryId: z.string(),
});

export const StormPath = SubscriptionPath.extend({ stormId: z.string().min(1).max(200) });
export const StormQuery = z.strictObject({ cursor: Cursor.optional() });
export const StormInApi = z.strictObject({
  stormId: z.string(),
  event: EventNameSchema.optional(),
  feeder: z.string().optional(),
  events: z.array(z.strictObject({ id: z.string(), meterId: z.string(), at: Instant })),
  next: Cursor.optional(),
});
