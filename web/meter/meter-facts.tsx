import type { Answer } from "../api/client.ts";
import { Badge } from "../figures/badge.tsx";
import { Instant } from "../figures/instant-text.tsx";

type ApiMeter = Answer<"readMeter">;

type ApiRoute = ApiMeter["routes"][number];

const addressText = ({ host, port, transport }: Extract<ApiRoute, { readonly host: string }>): string =>
  `${host.includes(":") ? `[${host}]` : host} port ${port}, ${transport ?? "tcp"}`;

const routeText = (route: ApiRoute): string => {
  switch (route.kind) {
    case "dial":
      return `dials ${addressText(route)}`;
    case "relay":
      return `behind ${route.path.join(", then ")}: dials ${addressText(route)}`;
    case "attached":
      return "the meter or its collector holds the connection";
    case "sleepy":
      return `sleeps, and looks into its mailbox as ${route.thing}`;
    default:
      return (route as { readonly kind: string }).kind;
  }
};

/** Of a switch: position, and what its contact says where that differs. */
const switchText = ({ position, contactClosed }: NonNullable<NonNullable<ApiMeter["facts"]>["switch"]>): string =>
  contactClosed === undefined || contactClosed === (position === "closed")
    ? position
    : `${position}, but its contact is ${contactClosed ? "closed" : "open"}`;

/** When it was last heard of, and what it then showed. */
function LastSeen({ meter: { facts } }: { readonly meter: ApiMeter }) {
  if (facts === undefined) return null;
  return (
    <>
      <dt>Last answer</dt>
      <dd>{facts.contactAt === undefined ? "never" : <Instant at={facts.contactAt} />}</dd>
      {facts.reason !== "none" && facts.triedAt !== undefined && (
        <>
          <dt>Last failure</dt>
          <dd>
            {facts.reason}, <Instant at={facts.triedAt} />
          </dd>
        </>
      )}
      {facts.power === "off" && (
        <>
          <dt>Power</dt>
          <dd>
            <Badge tone="bad" shape="alert" text="failed, by its own report" />
            {facts.powerAt !== undefined && (
              <>
                , <Instant at={facts.powerAt} />
              </>
            )}
          </dd>
        </>
      )}
      {facts.switch !== undefined && (
        <>
          <dt>Switch</dt>
          <dd>
            {switchText(facts.switch)}, read <Instant at={facts.switch.at} />
          </dd>
        </>
      )}
    </>
  );
}

/** Who the meter is, how it is reached, what it belongs to. */
export function MeterFacts({ meter }: { readonly meter: ApiMeter }) {
  const { groups = [], feeder, transformer, collector } = meter.memberships;
  return (
    <section className="card" aria-labelledby="identity">
      <h2 id="identity">The meter</h2>
      <dl className="facts">
        <LastSeen meter={meter} />
        <dt>Serial</dt>
        <dd className="mono">{meter.serial}</dd>
        <dt>Commodity</dt>
        <dd>{meter.commodity}</dd>
        <dt>Device profile</dt>
        <dd>
          {meter.profile.name}, version {meter.profile.version}
        </dd>
        {meter.systemTitle !== undefined && (
          <>
            <dt>System title</dt>
            <dd className="mono">{meter.systemTitle}</dd>
          </>
        )}
        {meter.identity !== undefined && (
          <>
            <dt>Firmware</dt>
            <dd>{meter.identity.firmware ?? "not said"}</dd>
            <dt>Tariff program</dt>
            <dd>{meter.identity.program ?? "not said"}</dd>
          </>
        )}
        <dt>Keys</dt>
        <dd>
          {meter.secured ? (
            <Badge tone="good" shape="tick" text="held, sealed" />
          ) : (
            <Badge tone="warn" shape="dash" text="none: an open meter" />
          )}
        </dd>
        <dt>Route</dt>
        <dd>
          {meter.routes.map(routeText).map((text) => (
            <div key={text}>{text}</div>
          ))}
        </dd>
        <dt>Groups</dt>
        <dd>{groups.length === 0 ? "none" : groups.join(", ")}</dd>
        <dt>Feeder</dt>
        <dd>{feeder ?? "not known"}</dd>
        <dt>Transformer</dt>
        <dd>{transformer ?? "not known"}</dd>
        <dt>Collector</dt>
        <dd>{collector ?? "none"}</dd>
        {meter.location !== undefined && (
          <>
            <dt>Place</dt>
            <dd>
              {meter.location.latitude.toFixed(5)}°, {meter.location.longitude.toFixed(5)}°
            </dd>
          </>
        )}
        {meter.segment !== undefined && meter.slot !== undefined && (
          <>
            <dt>Segment, slot</dt>
            <dd>
              {meter.segment}, {meter.slot}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
