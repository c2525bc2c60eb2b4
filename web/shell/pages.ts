/** The console's pages and their paths. */
export type Page =
  | { readonly page: "fleet" }
  | { readonly page: "meter"; readonly meterId: string }
  | { readonly page: "kpis" }
  | { readonly page: "kpi-meters" }
  | { readonly page: "jobs" }
  | { readonly page: "read-now" }
  | { readonly page: "job"; readonly jobId: string }
  | { readonly page: "schedules" }
  | { readonly page: "new-schedule" }
  | { readonly page: "queries" }
  | { readonly page: "new-query" }
  | { readonly page: "outages" }
  | { readonly page: "outage"; readonly outageId: string }
  | { readonly page: "prepayment" }
  | { readonly page: "account"; readonly accountId: string }
  | { readonly page: "demand" }
  | { readonly page: "demand-event"; readonly eventId: string }
  | { readonly page: "tariffs" }
  | { readonly page: "tariff"; readonly tariffId: string; readonly version: string }
  | { readonly page: "safety" }
  | { readonly page: "subscriptions" }
  | { readonly page: "parked" }
  | { readonly page: "unknown" };

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

export function pageAt(path: string): Page {
  const [first = "", second, ...rest] = path.replace(/\/$/, "").split("/").slice(1);
  if (rest.length > 0) return { page: "unknown" };
  if (second === undefined || second === "") {
    if (first === "") return { page: "fleet" };
    const own = [
      "kpis",
      "jobs",
      "schedules",
      "queries",
      "outages",
      "prepayment",
      "demand",
      "tariffs",
      "safety",
      "subscriptions",
      "parked",
    ] as const;
    const page = own.find((one) => one === first);
    if (page !== undefined) return { page };
    return { page: "unknown" };
  }
  if (first === "kpis" && second === "meters") return { page: "kpi-meters" };
  if (first === "meters") return { page: "meter", meterId: decoded(second) };
  if (first === "schedules" && second === "new") return { page: "new-schedule" };
  if (first === "queries" && second === "new") return { page: "new-query" };
  if (first === "outages") return { page: "outage", outageId: decoded(second) };
  if (first === "prepayment") return { page: "account", accountId: decoded(second) };
  if (first === "demand") return { page: "demand-event", eventId: decoded(second) };
  if (first === "tariffs") {
    const [, tariffId = "", version = ""] = /^(.+)~(\d+)$/.exec(decoded(second)) ?? [];
    return version === "" ? { page: "unknown" } : { page: "tariff", tariffId, version };
  }
  if (first === "jobs") return second === "new" ? { page: "read-now" } : { page: "job", jobId: decoded(second) };
  return { page: "unknown" };
}

/** A path whose last part has a dot is taken for a file by the distribution; one that ends in a slash never is. */
const partPath = (section: string, id: string): string =>
  `/${section}/${encodeURIComponent(id)}${id.includes(".") ? "/" : ""}`;
export const meterPath = (meterId: string): string => partPath("meters", meterId);
export const outagePath = (outageId: string): string => partPath("outages", outageId);
export const accountPath = (accountId: string): string => partPath("prepayment", accountId);
export const eventPath = (eventId: string): string => partPath("demand", eventId);
export const tariffPath = (tariffId: string, version: number): string => partPath("tariffs", `${tariffId}~${version}`);
export const jobPath = (jobId: string): string => `/jobs/${encodeURIComponent(jobId)}`;
