import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { ReasonForm } from "../form/reason-form.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { useMay } from "../sign-in/use-session.ts";

type Authority = Answer<"readAuthority">;
type Caps = Authority["guards"]["opening"]["all"];

const whereText = (feeder: string | undefined): string => (feeder === undefined ? "everywhere" : `on feeder ${feeder}`);
const byText = ({ id, name }: { readonly id: string; readonly name?: string | undefined }): string => name ?? id;

/** Stops that are in force, and the way to set and lift them. */
function Stops({ authority, changed }: { readonly authority: Authority; readonly changed: () => void }) {
  const api = useApi();
  const may = { set: useMay("setStop"), lift: useMay("liftStop") };
  const [acts, setActs] = useState<"switching" | "opening">("switching");
  const [feeder, setFeeder] = useState("");
  const set = useMutation({
    mutationFn: (reason: string) =>
      api("setStop", { request: { acts, reason, ...(feeder.trim() === "" ? {} : { feeder: feeder.trim() }) } }),
    onSettled: changed,
  });
  const lift = useMutation({
    mutationFn: ({ stopId, reason }: { readonly stopId: string; readonly reason: string }) =>
      api("liftStop", { params: { stopId }, request: { reason } }),
    onSettled: changed,
  });
  return (
    <section className="card" aria-labelledby="stops">
      <h2 id="stops">Stops</h2>
      {authority.stops.length === 0 ? (
        <p className="muted">Nothing is stopped.</p>
      ) : (
        <ul className="plain">
          {authority.stops.map(({ stopId, acts: what, feeder: where, reason, by, at, until }) => (
            <li key={stopId}>
              <strong>
                {what === "switching" ? "All switching" : "Opening"} is stopped {whereText(where)}
              </strong>
              : {reason} ({byText(by)}, <Instant at={at} />
              {until !== undefined && (
                <>
                  , until <Instant at={until} />
                </>
              )}
              )
              {may.lift && (
                <ReasonForm
                  label={`Lift stop ${stopId}`}
                  action="Lift it"
                  busy={lift.isPending}
                  send={(why) => lift.mutate({ stopId, reason: why })}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {lift.isError && <ProblemView error={lift.error} retry={() => lift.reset()} />}
      {may.set && (
        <ReasonForm
          label="Set a stop"
          action="Stop now"
          danger
          busy={set.isPending}
          send={(reason) => set.mutate(reason)}
        >
          <fieldset>
            <legend>What is stopped, from this moment on</legend>
            {(["switching", "opening"] as const).map((value) => (
              <label key={value} className="choice">
                <input type="radio" name="acts" checked={acts === value} onChange={() => setActs(value)} />
                {value === "switching" ? "all switching" : "opening alone"}
              </label>
            ))}
          </fieldset>
          <div className="field">
            <label htmlFor="stop-feeder">Feeder, if not everywhere</label>
            <input id="stop-feeder" value={feeder} maxLength={64} onChange={(event) => setFeeder(event.target.value)} />
          </div>
        </ReasonForm>
      )}
      {set.isError && <ProblemView error={set.error} retry={() => set.reset()} />}
    </section>
  );
}

/** Calendars in which nobody is cut off. */
function Moratoria({ authority, changed }: { readonly authority: Authority; readonly changed: () => void }) {
  const api = useApi();
  const may = useMay("liftMoratorium");
  const lift = useMutation({
    mutationFn: ({ moratoriumId, reason }: { readonly moratoriumId: string; readonly reason: string }) =>
      api("liftMoratorium", { params: { moratoriumId }, request: { reason } }),
    onSettled: changed,
  });
  return (
    <section className="card" aria-labelledby="moratoria">
      <h2 id="moratoria">Moratoria</h2>
      {authority.moratoria.length === 0 && <p className="muted">None: nobody is spared by a calendar.</p>}
      <ul className="plain">
        {authority.moratoria.map(({ moratoriumId, calendar, feeder, reason, by, at }) => (
          <li key={moratoriumId}>
            <strong>
              Nobody is cut off {whereText(feeder)} while calendar {calendar.name} holds
            </strong>{" "}
            ({calendar.timeZone}): {reason} ({byText(by)}, <Instant at={at} />)
            <ul>
              {calendar.seasons?.map(({ from, to }) => (
                <li key={`${from} ${to}`}>
                  each year from {from} to {to}
                </li>
              ))}
              {calendar.daily?.map(({ from, to }) => (
                <li key={`${from} ${to}`}>
                  from {from} to {to}
                </li>
              ))}
              {(calendar.dates?.length ?? 0) > 0 && <li>{calendar.dates?.join(", ")}</li>}
            </ul>
            {may && (
              <ReasonForm
                label={`Lift moratorium ${moratoriumId}`}
                action="Lift it"
                busy={lift.isPending}
                send={(why) => lift.mutate({ moratoriumId, reason: why })}
              />
            )}
          </li>
        ))}
      </ul>
      {lift.isError && <ProblemView error={lift.error} retry={() => lift.reset()} />}
    </section>
  );
}

const capText = ({ perMinute, perHour, kwPerMinute, kwPerHour }: Caps): string =>
  [
    `${count(perMinute)} a minute`,
    `${count(perHour)} an hour`,
    ...(kwPerMinute === undefined ? [] : [`${count(kwPerMinute)} kW a minute`]),
    ...(kwPerHour === undefined ? [] : [`${count(kwPerHour)} kW an hour`]),
  ].join(", ");

const SCOPES = [
  ["all", "the whole deployment"],
  ["feeder", "a feeder"],
  ["transformer", "a transformer"],
  ["client", "whoever asks"],
] as const;

/** Caps, and what is asked of switches. */
function Guards({ authority: { guards, policy } }: { readonly authority: Authority }) {
  return (
    <section className="card" aria-labelledby="guards">
      <h2 id="guards">Caps and proof</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">At most, of</th>
            <th scope="col">Opening</th>
            <th scope="col">Closing</th>
          </tr>
        </thead>
        <tbody>
          {SCOPES.map(([scope, text]) => (
            <tr key={scope}>
              <th scope="row">{text}</th>
              <td>{capText(guards.opening[scope])}</td>
              <td>{capText(guards.closing[scope])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        More than {count(guards.approveAbove)} meters need another person, more than {count(guards.approveTwiceAbove)}{" "}
        two. Opening is proved by {policy.leastProof.open} at least, closing by {policy.leastProof.closed}; a switch
        without a load-side sensor is {policy.closeBlind ? "closed all the same" : "only armed"}.
      </p>
    </section>
  );
}

export default function SafetyPage() {
  const api = useApi();
  const may = useMay("readAuthority");
  const read = useQuery({
    queryKey: ["readAuthority"],
    queryFn: ({ signal }) => api("readAuthority", {}, { signal }),
    refetchInterval: 10_000,
    enabled: may,
  });
  return (
    <>
      <PageHead title="Switching" about="What keeps it safe: stops, moratoria, caps. Reading always goes on." />
      {!may && <p className="notice">Your role does not see this.</p>}
      {read.isError && <ProblemView error={read.error} retry={() => void read.refetch()} />}
      {may && read.isPending && <p className="muted">Loading…</p>}
      {read.data !== undefined && (
        <>
          <Stops authority={read.data} changed={() => void read.refetch()} />
          <Moratoria authority={read.data} changed={() => void read.refetch()} />
          <Guards authority={read.data} />
        </>
      )}
    </>
  );
}
