import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge, type Shape, type Tone } from "../figures/badge.tsx";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { PageHead } from "../shell/page-head.tsx";
import { useMay } from "../sign-in/use-session.ts";

type Subscription = Answer<"listSubscriptions">["subscriptions"][number];

const BADGES: Readonly<Record<Subscription["state"], readonly [Tone, Shape]>> = {
  active: ["good", "tick"],
  paused: ["quiet", "dash"],
  resting: ["warn", "clock"],
  suspended: ["bad", "cross"],
};

/** What it is about, in a line. */
const filterText = ({ filter }: Subscription): string =>
  Object.entries(filter)
    .map(([name, values]) => `${name}: ${(values ?? []).join(", ")}`)
    .join(" · ") || "everything";

function Steering({ subscription }: { readonly subscription: Subscription }) {
  const api = useApi();
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const { subscriptionId, state, description, url } = subscription;
  const params = { subscriptionId };
  const steer = useMutation({
    mutationFn: (what: "pauseSubscription" | "resumeSubscription" | "deleteSubscription") => api(what, { params }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["listSubscriptions"] }),
  });
  const name = <span className="unseen"> {description ?? url}</span>;
  if (steer.isError) return <ProblemView error={steer.error} retry={() => steer.reset()} />;
  if (asks)
    return (
      <div className="row">
        <button type="button" disabled={steer.isPending} onClick={() => steer.mutate("deleteSubscription")}>
          Delete it for good{name}
        </button>
        <button type="button" onClick={() => setAsks(false)}>
          Keep it{name}
        </button>
      </div>
    );
  return (
    <div className="row">
      {state === "active" || state === "resting" ? (
        <button type="button" disabled={steer.isPending} onClick={() => steer.mutate("pauseSubscription")}>
          Pause{name}
        </button>
      ) : (
        <button type="button" disabled={steer.isPending} onClick={() => steer.mutate("resumeSubscription")}>
          Resume{name}
        </button>
      )}
      <button type="button" onClick={() => setAsks(true)}>
        Delete{name}
      </button>
    </div>
  );
}

function SubscriptionRow({
  subscription,
  maySteer,
}: {
  readonly subscription: Subscription;
  readonly maySteer: boolean;
}) {
  const { url, description, owner, state, health } = subscription;
  const [tone, shape] = BADGES[state];
  return (
    <tr>
      <th scope="row">
        {description ?? url}
        <span className="small muted job-about">
          {description !== undefined && `${url} · `}
          {filterText(subscription)} · of {owner.name ?? owner.id}
        </span>
      </th>
      <td>
        <Badge tone={tone} shape={shape} text={state} />
        {health.suspended !== undefined && <span className="small job-about">{health.suspended.because}</span>}
        {state === "resting" && health.openUntil !== undefined && (
          <span className="small job-about">
            tried again at <Instant at={health.openUntil} />
          </span>
        )}
      </td>
      <td>
        {health.lastDeliveredAt === undefined ? (
          <span className="muted">not yet</span>
        ) : (
          <Instant at={health.lastDeliveredAt} />
        )}
      </td>
      <td>
        {health.lastFailure === undefined ? (
          <span className="muted">none</span>
        ) : (
          <>
            <Instant at={health.lastFailure.at} />
            <span className="small job-about">
              {health.lastFailure.problem}
              {health.failures > 1 && `, ${count(health.failures)} in a row`}
            </span>
          </>
        )}
      </td>
      {maySteer && (
        <td>
          <Steering subscription={subscription} />
        </td>
      )}
    </tr>
  );
}

export default function SubscriptionsPage() {
  const api = useApi();
  const maySteer = useMay("pauseSubscription");
  const list = useQuery({
    queryKey: ["listSubscriptions"],
    queryFn: ({ signal }) => api("listSubscriptions", { query: { limit: "200" } }, { signal }),
    refetchInterval: 15_000,
  });
  const subscriptions = list.data?.subscriptions ?? [];
  return (
    <>
      <PageHead title="Subscriptions" about="Who is told of events by webhook, and how their endpoints answer" />
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.data !== undefined && (
        <div className="card flush">
          {subscriptions.length === 0 ? (
            <p className="empty">Nobody has subscribed. Subscriptions are made by the API.</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
            <section className="scroll" aria-label="Subscriptions" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Subscription</th>
                    <th scope="col">State</th>
                    <th scope="col">Last delivery</th>
                    <th scope="col">Last failure</th>
                    {maySteer && (
                      <th scope="col">
                        <span className="unseen">Pause, resume or delete</span>
                      </th>
                    )}
                  </tr>
                </thead>
                <tbody>
                  {subscriptions.map((subscription) => (
                    <SubscriptionRow
                      key={subscription.subscriptionId}
                      subscription={subscription}
                      maySteer={maySteer}
                    />
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </div>
      )}
    </>
  );
}
