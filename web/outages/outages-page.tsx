import { useQuery } from "@tanstack/react-query";
import { Loaded } from "../api/loaded.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { useQueryParameter } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { outagePath } from "../shell/pages.ts";
import { deviceText, OutageState } from "./outage-state.tsx";

const SHOWN = [
  ["", "Under way"],
  ["all", "Of the last day"],
] as const;

export default function OutagesPage() {
  const api = useApi();
  const [shown, show] = useQueryParameter("state");
  const state = shown === "all" ? "all" : "open";
  const list = useQuery({
    queryKey: ["listOutages", state],
    queryFn: ({ signal }) => api("listOutages", { query: { state } }, { signal }),
    refetchInterval: 15_000,
  });
  return (
    <>
      <PageHead title="Outages" about="By the likeliest open device, from what meters said and answered">
        {/* biome-ignore lint/a11y/useSemanticElements: buttons that stay pressed, no form */}
        <div className="switcher" role="group" aria-label="Which outages">
          {SHOWN.map(([value, text]) => (
            <button key={value} type="button" aria-pressed={shown === value} onClick={() => show(value)}>
              {text}
            </button>
          ))}
        </div>
      </PageHead>
      <Loaded query={list}>
        {({ outages, asOf }) => (
          <>
            <p className="small muted">
              As of <Instant at={asOf} />
            </p>
            <div className="card flush">
              {outages.length === 0 ? (
                <p className="empty">No outage.</p>
              ) : (
                <ScrollTable
                  label="Outages"
                  columns={["Device", "State", "Since", { number: "Meters" }, { number: "Confidence" }]}
                >
                  {outages.map((outage) => (
                    <tr key={outage.outageId}>
                      <th scope="row">
                        <Link to={outagePath(outage.outageId)}>{deviceText(outage)}</Link>
                      </th>
                      <td>
                        <OutageState state={outage.state} />
                      </td>
                      <td>
                        <Instant at={outage.startedAt} />
                      </td>
                      <td className="number">{count(outage.evidence.meters)}</td>
                      <td className="number">{Math.round(outage.confidence * 100)} %</td>
                    </tr>
                  ))}
                </ScrollTable>
              )}
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}
