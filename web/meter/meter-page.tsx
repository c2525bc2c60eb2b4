import { useQuery } from "@tanstack/react-query";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { MeterState } from "../fleet/fleet-page.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { useMay, useMayOrder } from "../sign-in/use-session.ts";
import { LatestRegisters } from "./latest-registers.tsx";
import { LoadCurve } from "./load-curve.tsx";
import { MeterFacts } from "./meter-facts.tsx";
import { OperateSwitch } from "./operate-switch.tsx";
import { ResetDemand } from "./reset-demand.tsx";
import { TakeAway } from "./take-away.tsx";

export default function MeterPage({ meterId }: { readonly meterId: string }) {
  const api = useApi();
  const mayRead = useMay("submitJob");
  const mayOrder = useMayOrder();
  const mayRetire = useMay("retireMeter");
  const meter = useQuery({
    queryKey: ["readMeter", meterId],
    queryFn: ({ signal }) => api("readMeter", { params: { meterId } }, { signal }),
  });
  // Without a range the headend answers for its own last 24 hours: its clock counts, not this computer's.
  const latest = useQuery({
    queryKey: ["readReadings", meterId],
    queryFn: ({ signal }) => api("readReadings", { params: { meterId } }, { signal }),
    refetchInterval: 30_000,
    enabled: meter.isSuccess,
  });
  return (
    <>
      <PageHead title={meterId} about={meter.data === undefined ? undefined : <MeterState state={meter.data.state} />}>
        {mayRead && meter.data?.state === "enrolled" && (
          <Link className="button primary" to={`/jobs/new?meter=${encodeURIComponent(meterId)}`}>
            Read this meter now
          </Link>
        )}
      </PageHead>
      {meter.isPending && <p className="muted">Loading…</p>}
      {meter.isError && <ProblemView error={meter.error} retry={() => void meter.refetch()} />}
      {latest.isError && <ProblemView error={latest.error} retry={() => void latest.refetch()} />}
      {meter.data !== undefined && (
        <>
          {mayOrder && meter.data.state === "enrolled" && meter.data.secured && (
            <div className="row">
              <ResetDemand meterId={meterId} />
              {meter.data.commodity === "electric" && <OperateSwitch meterId={meterId} />}
            </div>
          )}
          {mayRetire && meter.data.state === "enrolled" && (
            <div className="row">
              <TakeAway meterId={meterId} commodity={meter.data.commodity} profile={meter.data.profile.name} />
            </div>
          )}
          {latest.data !== undefined && <LoadCurve meterId={meterId} latest={latest.data} />}
          <div className="columns">
            {latest.data !== undefined && <LatestRegisters meterId={meterId} latest={latest.data} />}
            <MeterFacts meter={meter.data} />
          </div>
          {latest.isPending && <p className="muted">Loading the readings…</p>}
        </>
      )}
    </>
  );
}
