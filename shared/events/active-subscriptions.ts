import type { Subscriptions } from "./deliver-webhook.ts";
import type { Subscription } from "./subscription.ts";
import type { ActiveSubscriptions } from "./tell-events.ts";

/** A change of a subscription shows after so long, ms, wherever events are recorded and matched. */
export const KEPT_MS = 10_000;

/** The active subscriptions, read once in a while and not with every event. A failed read is no list: it is thrown. */
export function activeSubscriptions(
  subscriptions: Pick<Subscriptions, "list">,
  now: () => number,
): ActiveSubscriptions {
  let kept: { readonly at: number; readonly list: Promise<readonly Subscription[]> } | undefined;
  return {
    async active() {
      if (kept === undefined || now() - kept.at >= KEPT_MS) {
        const list = subscriptions.list().then((all) => all.filter(({ state }) => state === "active"));
        const fresh = { at: now(), list };
        kept = fresh;
        list.catch(() => {
          if (kept === fresh) kept = undefined;
        });
      }
      return kept.list;
    },
  };
}
