import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useRef, useState } from "react";
import type { Answer } from "../api/client.ts";
import { Loaded } from "../api/loaded.tsx";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge } from "../figures/badge.tsx";
import { Instant } from "../figures/instant-text.tsx";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath, meterPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { minorUnits, money } from "./money.ts";

type Account = Answer<"readAccount">;
type Policy = Answer<"listPrepaymentPolicies">["policies"][number];

/** How the balance stands to what its policy warns of and acts on. */
function Warnings({ account: { balance, currency }, policy }: { readonly account: Account; readonly policy: Policy }) {
  const { disconnectAt, reconnectAt, warnAt = [] } = policy;
  if (balance <= disconnectAt)
    return (
      <p className="notice warn">
        The balance is at or below {money(disconnectAt, currency)}: the supply is to be disconnected. From{" "}
        {money(reconnectAt, currency)} on it is reconnected.
      </p>
    );
  const warned = warnAt.filter((threshold) => balance <= threshold).sort((left, right) => left - right)[0];
  return warned === undefined ? null : (
    <p className="notice warn">
      Low credit: the balance is at or below {money(warned, currency)}, of which the customer was warned. At{" "}
      {money(disconnectAt, currency)} the supply is disconnected.
    </p>
  );
}

const ENDED = { done: "carried out", failed: "failed" } as const;

function Facts({ account }: { readonly account: Account }) {
  const { meterId, tariff, policy, state, openedAt, supply } = account;
  const { wanted, order, jobId, ended, because, retryAt } = supply;
  return (
    <section className="card" aria-labelledby="account">
      <h2 id="account">The account</h2>
      <dl className="facts">
        <dt>Meter</dt>
        <dd>
          <Link to={meterPath(meterId)}>{meterId}</Link>
        </dd>
        <dt>State</dt>
        <dd>
          {state}, opened <Instant at={openedAt} />
        </dd>
        <dt>Tariff and policy</dt>
        <dd>
          {tariff}, {policy}
        </dd>
        <dt>Supply</dt>
        <dd>
          {wanted === "on" ? (
            <Badge tone="good" shape="tick" text="to be on" />
          ) : (
            <Badge tone="bad" shape="cross" text="to be off" />
          )}
          {order > 0 && jobId !== undefined && (
            <>
              {" "}
              <Link to={jobPath(jobId)}>its order</Link> {ended === undefined ? "is under way" : `was ${ENDED[ended]}`}
            </>
          )}
          {because !== undefined && `: ${because}`}
          {retryAt !== undefined && (
            <>
              , again <Instant at={retryAt} />
            </>
          )}
        </dd>
      </dl>
    </section>
  );
}

function Pay({ account: { accountId, currency } }: { readonly account: Account }) {
  const api = useApi();
  const queries = useQueryClient();
  const [amount, setAmount] = useState("");
  const [reference, setReference] = useState("");
  const [tried, setTried] = useState(false);
  const minor = minorUnits(amount, currency);
  const missing = tried && minor === undefined;
  // One key for what is written: sent twice, it is the same payment.
  const key = useRef(crypto.randomUUID());
  const pay = useMutation({
    mutationFn: (paid: number) =>
      api("pay", {
        params: { accountId },
        request: {
          amount: paid,
          idempotencyKey: key.current,
          ...(reference.trim() === "" ? {} : { reference: reference.trim() }),
        },
      }),
    onSuccess: async () => {
      key.current = crypto.randomUUID();
      setAmount("");
      setReference("");
      setTried(false);
      await Promise.all(
        ["readAccount", "listEntries"].map((route) => queries.invalidateQueries({ queryKey: [route, accountId] })),
      );
    },
  });
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (minor !== undefined) pay.mutate(minor);
  };
  return (
    <form className="card" aria-label="Credit a payment" onSubmit={send} noValidate>
      <div className="row end">
        <div className="field">
          <label htmlFor="amount">Amount, {currency}</label>
          <input
            id="amount"
            inputMode="decimal"
            autoComplete="off"
            required
            value={amount}
            aria-invalid={missing}
            aria-describedby={missing ? "amount-refusal" : undefined}
            onChange={(event) => setAmount(event.target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor="reference">Reference</label>
          <input
            id="reference"
            maxLength={200}
            autoComplete="off"
            value={reference}
            onChange={(event) => setReference(event.target.value)}
          />
        </div>
        <button type="submit" className="primary" disabled={pay.isPending}>
          {pay.isPending ? "Crediting…" : "Credit it"}
        </button>
      </div>
      {missing && (
        <p className="refusal" id="amount-refusal" role="alert">
          Expected an amount above 0, as 12.50.
        </p>
      )}
      <p role="status" className="small">
        {pay.data !== undefined && `Credited ${money(pay.data.entry.amount, currency)}.`}
      </p>
      {pay.isError && <ProblemView error={pay.error} retry={() => pay.reset()} />}
    </form>
  );
}

function Ledger({ account: { accountId, currency } }: { readonly account: Account }) {
  const api = useApi();
  /** The number of an entry; undefined: the newest are shown. */
  const [before, setBefore] = useState<number>();
  const entries = useQuery({
    queryKey: ["listEntries", accountId, before],
    queryFn: ({ signal }) =>
      api(
        "listEntries",
        { params: { accountId }, query: before === undefined ? {} : { before: String(before) } },
        { signal },
      ),
    refetchInterval: 15_000,
  });
  return (
    <section className="card" aria-labelledby="ledger">
      <h2 id="ledger">Ledger</h2>
      <Loaded query={entries}>
        {({ entries: list, next }) => (
          <>
            <ScrollTable
              label="Entries"
              columns={[{ number: "Entry" }, "When", "What", { number: "Amount" }, { number: "Balance" }]}
            >
              {list.map(({ seq, at, kind, amount, balance, day, reference, reason }) => (
                <tr key={seq}>
                  <th scope="row" className="number">
                    {seq}
                  </th>
                  <td>
                    <Instant at={at} />
                  </td>
                  <td>{[kind, day, reference, reason].filter((part) => part !== undefined).join(" · ")}</td>
                  <td className="number">{money(amount, currency)}</td>
                  <td className="number">{money(balance, currency)}</td>
                </tr>
              ))}
            </ScrollTable>
            <div className="row">
              {before !== undefined && (
                <button type="button" onClick={() => setBefore(undefined)}>
                  The newest
                </button>
              )}
              {next !== undefined && (
                <button type="button" onClick={() => setBefore(next)}>
                  Older ones
                </button>
              )}
            </div>
          </>
        )}
      </Loaded>
    </section>
  );
}

export default function AccountPage({ accountId }: { readonly accountId: string }) {
  const api = useApi();
  const mayPay = useMay("pay");
  const found = useQuery({
    queryKey: ["readAccount", accountId],
    queryFn: ({ signal }) => api("readAccount", { params: { accountId } }, { signal }),
    refetchInterval: 15_000,
  });
  const policies = useQuery({
    queryKey: ["listPrepaymentPolicies"],
    queryFn: ({ signal }) => api("listPrepaymentPolicies", {}, { signal }),
  });
  return (
    <Loaded query={found}>
      {(account) => {
        const policy = policies.data?.policies.find(({ name }) => name === account.policy);
        return (
          <>
            <PageHead title={`Account ${accountId}`} about={`Balance ${money(account.balance, account.currency)}`} />
            {policy !== undefined && <Warnings account={account} policy={policy} />}
            <Facts account={account} />
            {mayPay && account.state === "active" && <Pay account={account} />}
            <Ledger account={account} />
          </>
        );
      }}
    </Loaded>
  );
}
