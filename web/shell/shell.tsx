import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { FleetPage } from "../fleet/fleet-page.tsx";
import type { TokenHolder } from "../sign-in/access-token.ts";
import { useMay, useSession, useSessionState } from "../sign-in/use-session.ts";
import { Link } from "./link.tsx";
import { usePath } from "./location.ts";
import { PageHead } from "./page-head.tsx";
import { type Page, pageAt } from "./pages.ts";

const KpiPage = lazy(() => import("../kpi/kpi-page.tsx"));
const KpiMetersPage = lazy(() => import("../kpi/kpi-meters-page.tsx"));
const JobsPage = lazy(() => import("../jobs/jobs-page.tsx"));
const JobPage = lazy(() => import("../jobs/job-page.tsx"));
const ReadNowPage = lazy(() => import("../jobs/read-now-page.tsx"));
const MeterPage = lazy(() => import("../meter/meter-page.tsx"));
const SchedulesPage = lazy(() => import("../schedules/schedules-page.tsx"));
const NewSchedulePage = lazy(() => import("../schedules/new-schedule-page.tsx"));
const QueriesPage = lazy(() => import("../queries/queries-page.tsx"));
const NewQueryPage = lazy(() => import("../queries/new-query-page.tsx"));
const OutagesPage = lazy(() => import("../outages/outages-page.tsx"));
const OutagePage = lazy(() => import("../outages/outage-page.tsx"));
const PrepaymentPage = lazy(() => import("../prepayment/prepayment-page.tsx"));
const AccountPage = lazy(() => import("../prepayment/account-page.tsx"));
const DemandPage = lazy(() => import("../demand/demand-page.tsx"));
const DemandEventPage = lazy(() => import("../demand/demand-event-page.tsx"));
const TariffsPage = lazy(() => import("../tariffs/tariffs-page.tsx"));
const TariffPage = lazy(() => import("../tariffs/tariff-page.tsx"));
const SafetyPage = lazy(() => import("../safety/safety-page.tsx"));
const SubscriptionsPage = lazy(() => import("../subscriptions/subscriptions-page.tsx"));
const ParkedPage = lazy(() => import("../parked/parked-page.tsx"));

function content(at: Page): ReactNode {
  switch (at.page) {
    case "fleet":
      return <FleetPage />;
    case "meter":
      return <MeterPage key={at.meterId} meterId={at.meterId} />;
    case "kpis":
      return <KpiPage />;
    case "kpi-meters":
      return <KpiMetersPage />;
    case "jobs":
      return <JobsPage />;
    case "read-now":
      return <ReadNowPage />;
    case "job":
      return <JobPage key={at.jobId} jobId={at.jobId} />;
    case "schedules":
      return <SchedulesPage />;
    case "new-schedule":
      return <NewSchedulePage />;
    case "queries":
      return <QueriesPage />;
    case "new-query":
      return <NewQueryPage />;
    case "outages":
      return <OutagesPage />;
    case "outage":
      return <OutagePage key={at.outageId} outageId={at.outageId} />;
    case "prepayment":
      return <PrepaymentPage />;
    case "account":
      return <AccountPage key={at.accountId} accountId={at.accountId} />;
    case "demand":
      return <DemandPage />;
    case "demand-event":
      return <DemandEventPage key={at.eventId} eventId={at.eventId} />;
    case "tariffs":
      return <TariffsPage />;
    case "tariff":
      return <TariffPage key={`${at.tariffId} ${at.version}`} tariffId={at.tariffId} version={at.version} />;
    case "safety":
      return <SafetyPage />;
    case "subscriptions":
      return <SubscriptionsPage />;
    case "parked":
      return <ParkedPage />;
    case "unknown":
      return (
        <>
          <PageHead title="There is no such page" />
          <p>
            The address leads nowhere. Go to the <Link to="/">fleet</Link> or the <Link to="/jobs">jobs</Link>.
          </p>
        </>
      );
  }
}

const SECTION: Readonly<Record<Page["page"], string>> = {
  fleet: "/",
  meter: "/",
  kpis: "/kpis",
  "kpi-meters": "/kpis",
  jobs: "/jobs",
  "read-now": "/jobs",
  job: "/jobs",
  schedules: "/schedules",
  "new-schedule": "/schedules",
  queries: "/queries",
  "new-query": "/queries",
  outages: "/outages",
  outage: "/outages",
  prepayment: "/prepayment",
  account: "/prepayment",
  demand: "/demand",
  "demand-event": "/demand",
  tariffs: "/tariffs",
  tariff: "/tariffs",
  safety: "/safety",
  subscriptions: "/subscriptions",
  parked: "/parked",
  unknown: "",
};

export function Shell({ deployment, holder }: { readonly deployment: string; readonly holder: TokenHolder }) {
  const path = usePath();
  const at = pageAt(path);
  const session = useSession();
  const expired = useSessionState().kind === "expired";
  const seesKpis = useMay("readKpis");
  const seesSafety = useMay("readAuthority");
  const seesGrid = useMay("listOutages");
  const seesParked = useMay("listParked");
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // A new page is announced by taking the focus to its start; the very first one leaves it to the browser.
  useEffect(() => {
    if (path !== "" && !first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);

  const links = [
    ["/", "Fleet"],
    ...(seesKpis ? [["/kpis", "Key figures"] as const] : []),
    ["/jobs", "Jobs"],
    ["/schedules", "Schedules"],
    ["/queries", "Queries"],
    ...(seesGrid
      ? ([
          ["/outages", "Outages"],
          ["/demand", "Demand response"],
          ["/prepayment", "Prepayment"],
          ["/tariffs", "Tariffs"],
        ] as const)
      : []),
    ...(seesSafety ? [["/safety", "Switching"] as const] : []),
    ["/subscriptions", "Subscriptions"],
    ...(seesParked ? [["/parked", "Parked messages"] as const] : []),
  ] as const;

  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="side">
        <div className="brand">
          <img src="/favicon.svg" alt="" />
          <span>
            Headrace <small>{deployment}</small>
          </span>
        </div>
        <nav aria-label="Pages">
          <ul className="nav">
            {links.map(([to, text]) => (
              <li key={to}>
                <Link to={to} aria-current={SECTION[at.page] === to ? (path === to ? "page" : "true") : undefined}>
                  {text}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="who">
          <span>
            <span className="unseen">Signed in as </span>
            <strong>{holder.name}</strong>
            <span className="muted small">{holder.roles.length === 0 ? "no role" : holder.roles.join(", ")}</span>
          </span>
          <button type="button" onClick={() => void session.signOut()}>
            Sign out
          </button>
        </div>
      </header>
      <main id="content" ref={main} tabIndex={-1}>
        {expired && (
          <div className="notice warn" role="alert">
            <div className="row">
              <span>Your sign-in has ended. What is on this page stays until you sign in again.</span>
              <button type="button" className="primary" onClick={() => void session.signIn()}>
                Sign in again
              </button>
            </div>
          </div>
        )}
        {holder.roles.length === 0 && (
          <p className="notice warn">
            You are signed in, but you have no role here, so the headend will refuse what you ask. An administrator can
            give you one.
          </p>
        )}
        <Suspense fallback={<p className="muted">Loading the page…</p>}>{content(at)}</Suspense>
      </main>
    </div>
  );
}
