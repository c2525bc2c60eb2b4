import { useMutation, useQuery } from "@tanstack/react-query";
import { Fragment, useRef, useState } from "react";
import type { Answer } from "../api/client.ts";
import { Loaded } from "../api/loaded.tsx";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge, type Shape, type Tone } from "../figures/badge.tsx";
import { Instant } from "../figures/instant-text.tsx";
import { count, scaledDecimal } from "../figures/scaled-decimal.ts";
import { ReasonForm } from "../form/reason-form.tsx";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath, meterPath } from "../shell/pages.ts";
import { mayOrder } from "../sign-in/permissions.ts";
import { useSessionState } from "../sign-in/use-session.ts";

type Tariff = Answer<"listTariffVersions">["tariffs"][number];
type Report = Answer<"reportTariff">;
type Standing = Report["meters"][number]["standing"];

const STANDINGS: Readonly<Record<Standing, readonly [Tone, Shape, string]>> = {
  active: ["good", "tick", "counts by it"],
  pending: ["calm", "clock", "waits for its time"],
  due: ["warn", "ring", "its time is over, nobody has looked since"],
  differs: ["bad", "alert", "shows something else"],
};

const timeText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const priceText = ({ value, scaler, currency }: Tariff["content"]["prices"][number]["price"]): string =>
  `${scaledDecimal(String(value), scaler)} ${currency}`;

function Content({ content: { calendar, prices, criticalPeak } }: Pick<Tariff, "content">) {
  return (
    <section className="card" aria-labelledby="content">
      <h2 id="content">What it says</h2>
      <dl className="facts">
        {prices.map(({ tier, label, price }) => (
          <Fragment key={tier}>
            <dt>
              Tier {tier}
              {label !== undefined && `, ${label}`}
            </dt>
            <dd>{priceText(price)} a unit</dd>
          </Fragment>
        ))}
        {criticalPeak !== undefined && (
          <>
            <dt>Critical peak</dt>
            <dd>{priceText(criticalPeak)} a unit</dd>
          </>
        )}
      </dl>
      <ul className="plain">
        {calendar.days.map(({ day, switches }) => (
          <li key={day}>
            Day {day}: {switches.map(({ minute, tier }) => `tier ${tier} from ${timeText(minute)}`).join(", ")}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Brings the version onto meters: at once, or at a time of the meters' own. */
function Rollout({ tariffId, version }: { readonly tariffId: string; readonly version: string }) {
  const api = useApi();
  const groups = useQuery({ queryKey: ["listGroups"], queryFn: ({ signal }) => api("listGroups", {}, { signal }) });
  const [group, setGroup] = useState("");
  const [at, setAt] = useState("");
  const sent = useRef({ asked: "", key: "" });
  const rollout = useMutation({
    mutationFn: (reason: string) => {
      const asked = JSON.stringify([group, at, reason]);
      if (sent.current.asked !== asked) sent.current = { asked, key: crypto.randomUUID() };
      return api("rolloutTariff", {
        params: { tariffId, version },
        request: {
          target: group === "" ? { kind: "all" } : { kind: "group", group },
          reason,
          idempotencyKey: sent.current.key,
          ...(at === "" ? {} : { activateAt: `${new Date(at).toISOString().slice(0, 19)}Z` }),
        },
      });
    },
  });
  return (
    <section className="card" aria-labelledby="rollout">
      <h2 id="rollout">Bring it onto meters</h2>
      <ReasonForm
        label="Bring it onto meters"
        action="Program the meters"
        kept="kept with the order"
        danger
        busy={rollout.isPending}
        send={(reason) => rollout.mutate(reason)}
      >
        <div className="row end">
          <div className="field">
            <label htmlFor="rollout-group">Meters</label>
            <select id="rollout-group" value={group} onChange={(event) => setGroup(event.target.value)}>
              <option value="">all</option>
              {groups.data?.groups.map(({ group: name, meters }) => (
                <option key={name} value={name}>
                  {name} ({count(meters)})
                </option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor="rollout-at">Active from; empty: at once</label>
            <input id="rollout-at" type="datetime-local" value={at} onChange={(event) => setAt(event.target.value)} />
          </div>
        </div>
      </ReasonForm>
      <p role="status">
        {rollout.data !== undefined && (
          <>
            <Link to={jobPath(rollout.data.program.jobId)}>A job programs them</Link>
            {rollout.data.proof !== undefined && (
              <>
                , <Link to={jobPath(rollout.data.proof.jobId)}>another proves it</Link> after its time
              </>
            )}
            .
          </>
        )}
      </p>
      {rollout.isError && <ProblemView error={rollout.error} retry={() => rollout.reset()} />}
    </section>
  );
}

function Meters({ tariffId, version }: { readonly tariffId: string; readonly version: string }) {
  const api = useApi();
  const [standing, setStanding] = useState<Standing | "">("");
  const found = useQuery({
    queryKey: ["reportTariff", tariffId, version, standing],
    queryFn: ({ signal }) =>
      api("reportTariff", { params: { tariffId, version }, query: standing === "" ? {} : { standing } }, { signal }),
    refetchInterval: 15_000,
  });
  const kinds = Object.keys(STANDINGS) as Standing[];
  return (
    <section className="card" aria-labelledby="meters">
      <h2 id="meters">Meters</h2>
      <div className="field">
        <label htmlFor="standing">Those that</label>
        <select
          id="standing"
          value={standing}
          onChange={(event) => setStanding(kinds.find((kind) => kind === event.target.value) ?? "")}
        >
          <option value="">were ordered it or count by it</option>
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {STANDINGS[kind][2]}
            </option>
          ))}
        </select>
      </div>
      <Loaded query={found}>
        {({ counts, meters, cursor, asOf }) => (
          <>
            <p>
              {kinds.map((kind) => `${count(counts[kind] ?? 0)} ${STANDINGS[kind][2]}`).join("; ")}. As of{" "}
              <Instant at={asOf} />
            </p>
            {meters.length > 0 && (
              <ScrollTable label="Meters of the tariff" columns={["Meter", "State", "Active", "Seen", "Ordered by"]}>
                {meters.map(({ meterId, standing: stands, shown, seenAt, jobId }) => {
                  const [tone, shape, text] = STANDINGS[stands];
                  return (
                    <tr key={meterId}>
                      <th scope="row">
                        <Link to={meterPath(meterId)}>{meterId}</Link>
                      </th>
                      <td>
                        <Badge tone={tone} shape={shape} text={text} />
                      </td>
                      <td>
                        {shown.active.name ?? <span className="muted">unnamed</span>}
                        {shown.activatesAt !== undefined && (
                          <span className="small muted job-about">
                            the next from <Instant at={shown.activatesAt} />
                          </span>
                        )}
                      </td>
                      <td>
                        <Instant at={seenAt} />
                      </td>
                      <td>{jobId === undefined ? "nobody here" : <Link to={jobPath(jobId)}>its job</Link>}</td>
                    </tr>
                  );
                })}
              </ScrollTable>
            )}
            {cursor !== undefined && <p className="muted small">These are the first of them.</p>}
          </>
        )}
      </Loaded>
    </section>
  );
}

export default function TariffPage({ tariffId, version }: { readonly tariffId: string; readonly version: string }) {
  const api = useApi();
  const session = useSessionState();
  const orders = session.kind === "signed-in" && mayOrder(session.holder.roles);
  const list = useQuery({
    queryKey: ["listTariffVersions"],
    queryFn: ({ signal }) => api("listTariffVersions", {}, { signal }),
  });
  return (
    <>
      <PageHead title={`Tariff ${tariffId}, version ${version}`} />
      <Loaded query={list}>
        {({ tariffs }) => {
          const tariff = tariffs.find((one) => one.tariffId === tariffId && String(one.version) === version);
          return tariff === undefined ? (
            <p className="notice warn">There is no such version.</p>
          ) : (
            <>
              <Content content={tariff.content} />
              {orders && <Rollout tariffId={tariffId} version={version} />}
              <Meters tariffId={tariffId} version={version} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}
