import type { Role } from "../security/roles.ts";
import type { ApiRoute } from "./route.ts";
import { LOOKS } from "./route-roles.ts";
import {
  SecretRotation,
  StormInApi,
  StormPath,
  StormQuery,
  SubscriptionBody,
  SubscriptionInApi,
  SubscriptionList,
  SubscriptionPath,
  SubscriptionQuery,
  SubscriptionWithSecret,
  TestAccepted,
} from "./subscriptions.ts";

const FUNCTION = "manage-subscriptions";
const BEHIND = "/subscriptions/{path+}";

/** Who says where events go; another system does so for itself. */
const SUBSCRIBES = ["administrator", "subscriber"] as const satisfies readonly Role[];
/** Who pauses, resumes and deletes. */
const STEERS = ["operator", "supervisor", "administrator", "subscriber"] as const satisfies readonly Role[];

/** Event subscriptions: webhooks. Another system sees its own alone. Part of the one table (`routes.ts`). */
export const subscriptionRoutes = {
  createSubscription: {
    method: "POST",
    path: "/subscriptions",
    function: FUNCTION,
    summary: "Be told of events by a webhook; the answer alone has the secret",
    roles: SUBSCRIBES,
    request: SubscriptionBody,
    response: SubscriptionWithSecret,
    statuses: [201],
  },
  listSubscriptions: {
    method: "GET",
    path: "/subscriptions",
    function: FUNCTION,
    summary: "Subscriptions, by id, and how their endpoints answer",
    roles: LOOKS,
    query: SubscriptionQuery,
    response: SubscriptionList,
    statuses: [200],
  },
  readSubscription: {
    method: "GET",
    path: "/subscriptions/{subscriptionId}",
    behind: BEHIND,
    function: FUNCTION,
    summary: "One subscription",
    roles: LOOKS,
    params: SubscriptionPath,
    response: SubscriptionInApi,
    statuses: [200],
  },
  changeSubscription: {
    method: "PUT",
    path: "/subscriptions/{subscriptionId}",
    behind: BEHIND,
    function: FUNCTION,
    summary: "Change where a subscription goes and what it is about",
    roles: SUBSCRIBES,
    params: SubscriptionPath,
    request: SubscriptionBody,
    response: SubscriptionInApi,
    statuses: [200],
  },
  deleteSubscription: {
    method: "DELETE",
    path: "/subscriptions/{subscriptionId}",
    behind: BEHIND,
    function: FUNCTION,
    summary: "Tell nothing any more; what is on its way is dropped",
    roles: STEERS,
    params: SubscriptionPath,
    statuses: [204],
  },
  pauseSubscription: {
    method: "POST",
    path: "/subscriptions/{subscriptionId}/pause",
    behind: BEHIND,
    function: FUNCTION,
    summary: "Gather nothing more; what is on its way waits",
    roles: STEERS,
    params: SubscriptionPath,
    response: SubscriptionInApi,
    statuses: [200],
  },
  resumeSubscription: {
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resume",
    behind: BEHIND,
    function: FUNCTION,
    summary: "Go on, as if the endpoint had never failed",
    roles: STEERS,
    params: SubscriptionPath,
    response: SubscriptionInApi,
    statuses: [200],
  },
  testSubscription: {
    method: "POST",
    path: "/subscriptions/{subscriptionId}/test",
    behind: BEHIND,
    function: FUNCTION,
    summary: "Send a test event, once, whatever state the subscription is in",
    roles: STEERS,
    params: SubscriptionPath,
    response: TestAccepted,
    statuses: [202],
  },
  rotateSubscriptionSecret: {
    method: "POST",
    path: "/subscriptions/{subscriptionId}/secret",
    behind: BEHIND,
    function: FUNCTION,
    summary: "Make a new secret; the old one signs too for a while",
    roles: SUBSCRIBES,
    params: SubscriptionPath,
    request: SecretRotation,
    response: SubscriptionWithSecret,
    statuses: [200],
  },
  readStorm: {
    method: "GET",
    path: "/subscriptions/{subscriptionId}/storms/{stormId}",
    behind: BEHIND,
    function: FUNCTION,
    summary: "All events that a storm's messages counted; kept for 14 days",
    roles: LOOKS,
    params: StormPath,
    query: StormQuery,
    response: StormInApi,
    statuses: [200],
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;
