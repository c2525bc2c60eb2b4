import { useQuery } from "@tanstack/react-query";
import { Loaded } from "../api/loaded.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { eventPath } from "../shell/pages.ts";
import { controlText } from "./control-text.ts";
import { EventState, eventName } from "./event-state.tsx";

function Programs() {
  const api = useApi();
  const list = useQuery({
    queryKey: ["listPrograms"],
    queryFn: ({ signal }) => api("listPrograms", {}, { signal }),
  });
  return (
    <section className="card" aria-labelledby="programs">
      <h2 id="programs">Programs</h2>
      <Loaded query={list}>
        {({ programs }) =>
          programs.length === 0 ? (
            <p className="muted">There is none yet.</p>
          ) : (
            <ScrollTable label="List of programs" columns={["Program", "Measured against", "Changed"]}>
              {programs.map(({ programId, name, baseline, modifiedAt }) => (
                <tr key={programId}>
                  <th scope="row">
                    {name} <span className="small muted mono">{programId}</span>
                  </th>
                  <td>
                    {baseline.kind === "mean-of-days"
                      ? `the mean of ${count(baseline.days)} days before`
                      : "the mean power of the hour before"}
                  </td>
                  <td>
                    <Instant at={modifiedAt} />
                  </td>
                </tr>
              ))}
            </ScrollTable>
          )
        }
      </Loaded>
    </section>
  );
}

function Events() {
  const api = useApi();
  const list = useQuery({
    queryKey: ["listDrEvents"],
    queryFn: ({ signal }) => api("listDrEvents", { query: {} }, { signal }),
    refetchInterval: 15_000,
  });
  return (
    <section className="card" aria-labelledby="events">
      <h2 id="events">Events</h2>
      <Loaded query={list}>
        {({ events }) =>
          events.length === 0 ? (
            <p className="muted">There is none yet.</p>
          ) : (
            <ScrollTable
              label="List of events"
              columns={["Event", "State", "Loads are", "From", "To", { number: "Meters" }]}
            >
              {events.map((event) => {
                const [first, last] = [event.phases[0], event.phases.at(-1)];
                return (
                  <tr key={event.eventId}>
                    <th scope="row">
                      <Link to={eventPath(event.eventId)}>{eventName(event)}</Link>
                      <span className="small muted job-about">program {event.programId}</span>
                    </th>
                    <td>
                      <EventState state={event.state} />
                    </td>
                    <td>{controlText(first?.control)}</td>
                    <td>{first !== undefined && <Instant at={first.from} detail="minute" />}</td>
                    <td>{last !== undefined && <Instant at={last.to} detail="minute" />}</td>
                    <td className="number">
                      {event.meters === undefined ? <span className="muted">not yet</span> : count(event.meters)}
                    </td>
                  </tr>
                );
              })}
            </ScrollTable>
          )
        }
      </Loaded>
    </section>
  );
}

export default function DemandPage() {
  return (
    <>
      <PageHead title="Demand response" about="Loads behind meters, moved for a time with their customers’ consent" />
      <Events />
      <Programs />
    </>
  );
}
