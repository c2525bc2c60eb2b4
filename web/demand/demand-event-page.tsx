import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Loaded } from "../api/loaded.tsx";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count, quantity } from "../figures/scaled-decimal.ts";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath, meterPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { controlText } from "./control-text.ts";
import { type ApiEvent, EventState, eventName } from "./event-state.tsx";

const energy = (wh: number | undefined): string => (wh === undefined ? "–" : quantity(String(wh), 0, "Wh"));
const power = (w: number | undefined): string => (w === undefined ? "–" : `${count(w)} W`);

function CancelEvent({ eventId }: { readonly eventId: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api("cancelDrEvent", { params: { eventId } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["readDrEvent", eventId] }),
  });
  return (
    <>
      <button type="button" className="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
        {cancel.isPending ? "Ending…" : "End it for all, and release the loads"}
      </button>
      {cancel.isError && <ProblemView error={cancel.error} retry={() => cancel.reset()} />}
    </>
  );
}

function Told({ event: { phases, jobs = [] } }: { readonly event: ApiEvent }) {
  return (
    <section className="card" aria-labelledby="told">
      <h2 id="told">What was told</h2>
      <ul className="plain">
        {phases.map(({ from, to, control }) => (
          <li key={from}>
            Loads are {controlText(control)}: <Instant at={from} detail="minute" /> to{" "}
            <Instant at={to} detail="minute" />
          </li>
        ))}
      </ul>
      {jobs.length === 0 ? (
        <p className="muted">Nobody was told anything yet.</p>
      ) : (
        <ScrollTable label="Jobs of the event" columns={["When", "What", { number: "Meters" }, "Job"]}>
          {jobs.map(({ at, tells, meters, jobId, problem }) => (
            <tr key={`${at} ${tells} ${jobId ?? problem}`}>
              <td>
                <Instant at={at} />
              </td>
              <td>{tells === "control" ? "told" : "released"}</td>
              <td className="number">{count(meters)}</td>
              <td>{jobId === undefined ? (problem ?? "under way") : <Link to={jobPath(jobId)}>its job</Link>}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  );
}

function Participation({ eventId }: { readonly eventId: string }) {
  const api = useApi();
  const found = useQuery({
    queryKey: ["readParticipation", eventId],
    queryFn: ({ signal }) => api("readParticipation", { params: { eventId } }, { signal }),
    refetchInterval: 30_000,
  });
  return (
    <section className="card" aria-labelledby="participation">
      <h2 id="participation">Participation</h2>
      <Loaded query={found}>
        {({ state, total, meters }) =>
          state !== "measured" ? (
            <p className="muted">It is measured about an hour after its end, once the meters’ intervals were read.</p>
          ) : (
            <>
              <p>
                {count(total.told)} of {count(total.meters)} were told; they used {energy(total.actualWh)} where{" "}
                {energy(total.baselineWh)} was to be expected: <strong>{energy(total.shedWh)} shed</strong>.
              </p>
              <ScrollTable
                label="Participation by meter"
                columns={[
                  "Meter",
                  "Outcome",
                  { number: "Expected" },
                  { number: "Used" },
                  { number: "Shed" },
                  { number: "Before" },
                  { number: "During" },
                  { number: "After" },
                ]}
              >
                {meters.map(({ meterId, outcome, baselineWh, actualWh, shedWh, beforeW, duringW, afterW }) => (
                  <tr key={meterId}>
                    <th scope="row">
                      <Link to={meterPath(meterId)}>{meterId}</Link>
                    </th>
                    <td>{outcome}</td>
                    <td className="number">{energy(baselineWh)}</td>
                    <td className="number">{energy(actualWh)}</td>
                    <td className="number">{energy(shedWh)}</td>
                    <td className="number">{power(beforeW)}</td>
                    <td className="number">{power(duringW)}</td>
                    <td className="number">{power(afterW)}</td>
                  </tr>
                ))}
              </ScrollTable>
            </>
          )
        }
      </Loaded>
    </section>
  );
}

export default function DemandEventPage({ eventId }: { readonly eventId: string }) {
  const api = useApi();
  const mayCancel = useMay("cancelDrEvent");
  const found = useQuery({
    queryKey: ["readDrEvent", eventId],
    queryFn: ({ signal }) => api("readDrEvent", { params: { eventId } }, { signal }),
    refetchInterval: 10_000,
  });
  return (
    <Loaded query={found}>
      {(event) => (
        <>
          <PageHead title={`Event ${eventName(event)}`} about={<EventState state={event.state} />}>
            {mayCancel && (event.state === "planned" || event.state === "active") && <CancelEvent eventId={eventId} />}
          </PageHead>
          <Told event={event} />
          <Participation eventId={eventId} />
        </>
      )}
    </Loaded>
  );
}
