import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";

type Queue = Answer<"listParked">["queue"];

/** The lanes, most urgent first, the way back, and what subscribers are told. */
const QUEUES = [
  "commands",
  "interactive",
  "urgent",
  "bulk",
  "images",
  "results",
  "uplink",
  "notices",
  "webhooks",
] as const satisfies readonly Queue[];

const chosenText = (chosen: number): string => (chosen === 0 ? "all" : `the ${count(chosen)} chosen`);

function ParkedQueue({ queue }: { readonly queue: Queue }) {
  const api = useApi();
  const mayReplay = useMay("replayParked");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const list = useQuery({
    queryKey: ["listParked", queue],
    queryFn: ({ signal }) => api("listParked", { params: { queue }, query: {} }, { signal }),
    refetchInterval: 15_000,
  });
  const replay = useMutation({
    mutationFn: () =>
      api("replayParked", { params: { queue }, request: chosen.size === 0 ? {} : { messageIds: [...chosen] } }),
    onSuccess: () => {
      setChosen(new Set());
      return list.refetch();
    },
  });
  const toggle = (messageId: string) => {
    const next = new Set(chosen);
    if (!next.delete(messageId)) next.add(messageId);
    setChosen(next);
  };
  const messages = list.data?.messages ?? [];
  const headline = list.data === undefined ? "" : ` (about ${count(list.data.count)})`;

  if (list.isSuccess && messages.length === 0 && list.data.count === 0 && !replay.isSuccess)
    return (
      <section className="card quiet" aria-labelledby={`queue-${queue}`}>
        <h2 id={`queue-${queue}`}>{queue}</h2>
        <p className="muted">Nothing is parked.</p>
      </section>
    );
  return (
    <section className="card" aria-labelledby={`queue-${queue}`}>
      <div className="head">
        <h2 id={`queue-${queue}`}>
          {queue}
          {headline}
        </h2>
        {mayReplay && messages.length > 0 && (
          <button type="button" disabled={replay.isPending} onClick={() => replay.mutate()}>
            {replay.isPending ? "Sending…" : `Send ${chosenText(chosen.size)} again`}
          </button>
        )}
      </div>
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {replay.isError && <ProblemView error={replay.error} />}
      <p role="status" className="small">
        {replay.data !== undefined &&
          `${count(replay.data.replayed)} sent again, ${count(replay.data.remaining)} still parked.`}
      </p>
      {messages.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
        <section className="scroll" aria-label={`Parked messages of ${queue}`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {mayReplay && <th scope="col">Choose</th>}
                <th scope="col">Message</th>
                <th scope="col">Why it is parked</th>
                <th scope="col">About</th>
                <th scope="col">First sent</th>
                <th scope="col" className="number">
                  Received
                </th>
              </tr>
            </thead>
            <tbody>
              {messages.map(({ messageId, reason, job, segment, subscription, sentAt, receives }) => (
                <tr key={messageId}>
                  {mayReplay && (
                    <td>
                      <input
                        type="checkbox"
                        aria-label={`Choose message ${messageId}`}
                        checked={chosen.has(messageId)}
                        onChange={() => toggle(messageId)}
                      />
                    </td>
                  )}
                  <th scope="row" className="mono batch">
                    {messageId}
                  </th>
                  <td>{reason}</td>
                  <td>
                    {job === undefined ? (
                      subscription === undefined ? (
                        <span className="muted">cannot be read</span>
                      ) : (
                        <Link to="/subscriptions">subscription {subscription}</Link>
                      )
                    ) : (
                      <Link to={jobPath(job)}>job{segment !== undefined && `, segment ${segment}`}</Link>
                    )}
                  </td>
                  <td>
                    <Instant at={sentAt} />
                  </td>
                  <td className="number">{count(receives)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

export default function ParkedPage() {
  const may = useMay("listParked");
  return (
    <>
      <PageHead
        title="Parked messages"
        about="What could not be handled, kept with its reason until it is sent again"
      />
      {may ? (
        QUEUES.map((queue) => <ParkedQueue key={queue} queue={queue} />)
      ) : (
        <p className="notice">Your role does not see parked messages. Operators, supervisors and administrators do.</p>
      )}
    </>
  );
}
