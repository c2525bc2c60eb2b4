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
  installed,
  retired,
}: RegisteredMeter): ResponseOf<Routes["listMeters"]>["meters"][number] {
  const { meterId, commodity, serial, profile, systemTitle, routes, memberships, location, servicePoint } = meter;
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
    ...(servicePoint === undefined ? {} : { servicePoint }),
    ...(installed === undefined ? {} : { installed }),
    ...(retired === undefined ? {} : { retired }),
    ...(state === "enrolling" ? {} : place),
    secured,
  };
}
