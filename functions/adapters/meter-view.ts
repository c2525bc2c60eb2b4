import type { ResponseOf } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";

/** A meter as the API shows it. */
export function meterView({
  meter,
  profileVersion,
  state,
  place,
  secured,
}: RegisteredMeter): ResponseOf<Routes["listMeters"]>["meters"][number] {
  const { meterId, commodity, serial, profile, systemTitle, routes, memberships, location } = meter;
  return {
    meterId,
    state,
    commodity,
    serial,
    profile: { name: profile, version: profileVersion },
    ...(systemTitle === undefined ? {} : { systemTitle }),
    routes,
    memberships,
    ...(location === undefined ? {} : { location }),
    ...(state === "enrolling" ? {} : place),
    secured,
  };
}
