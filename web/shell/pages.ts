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
  | { readonly page: "safety" }
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
    const own = ["kpis", "jobs", "schedules", "queries", "safety", "parked"] as const;
    const page = own.find((one) => one === first);
    if (page !== undefined) return { page };
    return { page: "unknown" };
  }
  if (first === "kpis" && second === "meters") return { page: "kpi-meters" };
  if (first === "meters") return { page: "meter", meterId: decoded(second) };
  if (first === "schedules" && second === "new") return { page: "new-schedule" };
  if (first === "queries" && second === "new") return { page: "new-query" };
  if (first === "jobs") return second === "new" ? { page: "read-now" } : { page: "job", jobId: decoded(second) };
  return { page: "unknown" };
}

/** A path whose last part has a dot is taken for a file by the distribution; one that ends in a slash never is. */
export const meterPath = (meterId: string): string =>
  `/meters/${encodeURIComponent(meterId)}${meterId.includes(".") ? "/" : ""}`;
export const jobPath = (jobId: string): string => `/jobs/${encodeURIComponent(jobId)}`;
