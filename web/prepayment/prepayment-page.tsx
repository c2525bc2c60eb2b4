import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { Loaded } from "../api/loaded.tsx";
import { useApi } from "../api/use-api.ts";
import { count } from "../figures/scaled-decimal.ts";
import { ScrollTable } from "../list/scroll-table.tsx";
import { goTo } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { accountPath } from "../shell/pages.ts";

/** The way to an account, and the policies by which accounts are warned, disconnected and reconnected. */
export default function PrepaymentPage() {
  const api = useApi();
  const [accountId, setAccountId] = useState("");
  const policies = useQuery({
    queryKey: ["listPrepaymentPolicies"],
    queryFn: ({ signal }) => api("listPrepaymentPolicies", {}, { signal }),
  });
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    if (accountId.trim() !== "") goTo(accountPath(accountId.trim()));
  };
  return (
    <>
      <PageHead title="Prepayment" about="Credit kept by the headend: an exact ledger an account" />
      <form className="card" aria-label="Open an account" onSubmit={open}>
        <div className="field">
          <label htmlFor="account">Account</label>
          <input
            id="account"
            required
            maxLength={64}
            autoComplete="off"
            value={accountId}
            onChange={(event) => setAccountId(event.target.value)}
          />
        </div>
        <div>
          <button type="submit" className="primary">
            Open it
          </button>
        </div>
      </form>
      <section className="card" aria-labelledby="policies">
        <h2 id="policies">Policies</h2>
        <p className="muted small">By balance, in the smallest unit of the account’s currency.</p>
        <Loaded query={policies}>
          {({ policies: list }) =>
            list.length === 0 ? (
              <p className="muted">There is none yet.</p>
            ) : (
              <ScrollTable
                label="List of policies"
                columns={["Policy", "Warns at", { number: "Disconnects at" }, { number: "Reconnects at" }, "Orders"]}
              >
                {list.map(({ name, warnAt = [], disconnectAt, reconnectAt, friendly, automatic }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{warnAt.length === 0 ? "never" : warnAt.map(count).join(", ")}</td>
                    <td className="number">{count(disconnectAt)}</td>
                    <td className="number">{count(reconnectAt)}</td>
                    <td>
                      {automatic ? "by itself" : "none"}
                      {friendly !== undefined && `, none while calendar ${friendly.name} holds`}
                    </td>
                  </tr>
                ))}
              </ScrollTable>
            )
          }
        </Loaded>
      </section>
    </>
  );
}
