import { useMutation, useQuery } from "@tanstack/react-query";
import type { Answer } from "../api/client.ts";
import { Loaded } from "../api/loaded.tsx";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge } from "../figures/badge.tsx";
import { Instant } from "../figures/instant-text.tsx";
import { count, counted } from "../figures/scaled-decimal.ts";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { goTo } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath, meterPath, outagePath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { deviceText, OutageState } from "./outage-state.tsx";

type Outage = Answer<"readOutage">;

/** Where the first of its meters is, for a map program; nothing where that is not known. */
function MapLink({ meterId }: { readonly meterId: string }) {
  const api = useApi();
  const meter = useQuery({
    queryKey: ["readMeter", meterId],
    queryFn: ({ signal }) => api("readMeter", { params: { meterId } }, { signal }),
  });
  const { latitude, longitude } = meter.data?.location ?? {};
  if (latitude === undefined || longitude === undefined) return null;
  return (
    <a className="button" href={`geo:${latitude},${longitude}`}>
      Show on a map
    </a>
  );
}

/** Asks every meter of it whether it has supply: what they answer, or that they do not, is the evidence that ends it. */
function AskMeters({ outage: { meters, outageId } }: { readonly outage: Outage }) {
  const api = useApi();
  const ask = useMutation({
    mutationFn: () =>
      api("submitJob", {
        request: {
          operation: { kind: "ping", depth: "meter" },
          target: { kind: "meters", meterIds: meters.map(({ meterId }) => meterId) },
          lane: meters.length === 1 ? "interactive" : "urgent",
          retry: { passes: 1 },
          reason: `Who of outage ${outageId} has supply?`,
          idempotencyKey: crypto.randomUUID(),
        },
      }),
    onSuccess: ({ jobId }) => goTo(jobPath(jobId)),
  });
  return (
    <>
      <button type="button" className="primary" disabled={ask.isPending} onClick={() => ask.mutate()}>
        {ask.isPending ? "Asking…" : `Ask ${counted(meters.length, "meter")} now`}
      </button>
      {ask.isError && <ProblemView error={ask.error} retry={() => ask.reset()} />}
    </>
  );
}

function OtherOutage({ text, outageId }: { readonly text: string; readonly outageId: string | undefined }) {
  if (outageId === undefined) return null;
  return (
    <>
      <dt>{text}</dt>
      <dd>
        <Link to={outagePath(outageId)}>another outage</Link>
      </dd>
    </>
  );
}

function Facts({ outage }: { readonly outage: Outage }) {
  const { startedAt, detectedAt, restoredAt, endedAt, evidence, confidence, within, mergedInto } = outage;
  return (
    <section className="card" aria-labelledby="evidence">
      <h2 id="evidence">Evidence</h2>
      <p>
        It ends by evidence alone: once each of its meters has shown supply, belongs to an outage of its own, or was
        asked in vain three times.
      </p>
      <dl className="facts">
        <dt>Since</dt>
        <dd>
          <Instant at={startedAt} />, found <Instant at={detectedAt} />
        </dd>
        {restoredAt !== undefined && (
          <>
            <dt>First meter back</dt>
            <dd>
              <Instant at={restoredAt} />
            </dd>
          </>
        )}
        {endedAt !== undefined && (
          <>
            <dt>Over</dt>
            <dd>
              <Instant at={endedAt} />
            </dd>
          </>
        )}
        <dt>Confidence</dt>
        <dd>{Math.round(confidence * 100)} %</dd>
        <dt>Said that supply went</dt>
        <dd>
          {count(evidence.gasped)} of {counted(evidence.meters, "meter")}
        </dd>
        <dt>Asked, and silent</dt>
        <dd>{count(evidence.silent)}</dd>
        <dt>Back</dt>
        <dd>{count(evidence.supplied)}</dd>
        <OtherOutage text="Found within" outageId={within} />
        <OtherOutage text="Part of" outageId={mergedInto} />
      </dl>
    </section>
  );
}

const POWER = {
  on: <Badge tone="good" shape="tick" text="has supply" />,
  off: <Badge tone="bad" shape="alert" text="says it has none" />,
  unknown: <Badge tone="quiet" shape="dash" text="unknown" />,
} as const;

export default function OutagePage({ outageId }: { readonly outageId: string }) {
  const api = useApi();
  const mayAsk = useMay("submitJob");
  const found = useQuery({
    queryKey: ["readOutage", outageId],
    queryFn: ({ signal }) => api("readOutage", { params: { outageId } }, { signal }),
    refetchInterval: 10_000,
  });
  return (
    <Loaded query={found}>
      {(outage) => (
        <>
          <PageHead title={`Outage of ${deviceText(outage)}`} about={<OutageState state={outage.state} />}>
            {outage.meters[0] !== undefined && <MapLink meterId={outage.meters[0].meterId} />}
            {mayAsk && outage.meters.length > 0 && <AskMeters outage={outage} />}
          </PageHead>
          <Facts outage={outage} />
          <div className="card flush">
            <ScrollTable label="Meters of the outage" columns={["Meter", "Supply", "Shown", "Last gasp"]}>
              {outage.meters.map(({ meterId, power, powerAt, gasped }) => (
                <tr key={meterId}>
                  <th scope="row">
                    <Link to={meterPath(meterId)}>{meterId}</Link>
                  </th>
                  <td>{POWER[power]}</td>
                  <td>{powerAt === undefined ? <span className="muted">never</span> : <Instant at={powerAt} />}</td>
                  <td>{gasped ? "heard" : "none heard"}</td>
                </tr>
              ))}
            </ScrollTable>
          </div>
        </>
      )}
    </Loaded>
  );
}
