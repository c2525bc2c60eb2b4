import { describe, expect, it } from "vitest";
import { accountPath, eventPath, jobPath, meterPath, pageAt, tariffPath } from "./pages.ts";

describe("pageAt", () => {
  it.each([
    ["/", { page: "fleet" }],
    ["/kpis", { page: "kpis" }],
    ["/kpis/meters", { page: "kpi-meters" }],
    ["/kpis/x", { page: "unknown" }],
    ["/jobs", { page: "jobs" }],
    ["/jobs/", { page: "jobs" }],
    ["/jobs/new", { page: "read-now" }],
    ["/jobs/abc", { page: "job", jobId: "abc" }],
    ["/schedules", { page: "schedules" }],
    ["/schedules/new", { page: "new-schedule" }],
    ["/schedules/x", { page: "unknown" }],
    ["/queries", { page: "queries" }],
    ["/queries/new", { page: "new-query" }],
    ["/queries/x", { page: "unknown" }],
    ["/subscriptions", { page: "subscriptions" }],
    ["/subscriptions/x", { page: "unknown" }],
    ["/parked", { page: "parked" }],
    ["/outages", { page: "outages" }],
    ["/outages/0a1b", { page: "outage", outageId: "0a1b" }],
    ["/prepayment", { page: "prepayment" }],
    ["/demand", { page: "demand" }],
    ["/tariffs", { page: "tariffs" }],
    ["/tariffs/home", { page: "unknown" }],
    ["/meters", { page: "unknown" }],
    ["/meters/a/b", { page: "unknown" }],
    ["/meters/%E0%A4%A", { page: "meter", meterId: "%E0%A4%A" }],
    ["/elsewhere", { page: "unknown" }],
  ])("%s", (path, page) => expect(pageAt(path)).toEqual(page));

  it.each(["M-1", "A.1", "a_b.c-d"])("finds the way back from the path of meter %s", (meterId) =>
    expect(pageAt(meterPath(meterId))).toEqual({ page: "meter", meterId }),
  );
  it("finds the way back from the paths of an account, an event and a version of a tariff", () => {
    expect(pageAt(accountPath("A.1"))).toEqual({ page: "account", accountId: "A.1" });
    expect(pageAt(eventPath("hot-evening"))).toEqual({ page: "demand-event", eventId: "hot-evening" });
    expect(pageAt(tariffPath("home.2", 7))).toEqual({ page: "tariff", tariffId: "home.2", version: "7" });
  });
  it("finds the way back from the path of a job", () =>
    expect(pageAt(jobPath("0a1b"))).toEqual({ page: "job", jobId: "0a1b" }));
});
