import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, NO_BROWSER } from "../browser/chromium.ts";
import { type FixtureConsole, fixtureConsole } from "../browser/fixture-console.ts";

const chromium = findChromium();
if (chromium === undefined && process.env.CI === "true") throw new Error(`test/e2e/console-grid.test.ts ${NO_BROWSER}`);

/** What the control room, the cashier and the tariff's keeper see, in a real browser before fixtures. */
describe.skipIf(chromium === undefined)("the console", { timeout: 120_000 }, () => {
  let shown: FixtureConsole;
  beforeAll(async () => {
    shown = await fixtureConsole(chromium ?? "", 20);
  });
  afterAll(() => shown?.close());

  it("leads from the list of outages to the meters of one, and asks them", async () => {
    const { page, checkAccess, complaints } = await shown.visitAs("operator");
    await page.getByRole("link", { name: "Outages" }).click();
    await page.getByRole("button", { name: "Of the last day" }).click();
    await checkAccess("outages");
    await page.getByRole("link", { name: "transformer T-7, feeder feeder-3" }).click();
    await page.getByRole("heading", { level: 1, name: "Outage of transformer T-7" }).waitFor();
    await page
      .getByRole("row", { name: /M-000003/ })
      .getByText("none heard")
      .waitFor();
    expect(await page.getByRole("link", { name: "Show on a map" }).getAttribute("href")).toMatch(/^geo:-?[\d.]+,/);
    await checkAccess("an outage");
    const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/jobs"));
    await page.getByRole("button", { name: "Ask 3 meters now" }).click();
    expect((await asked).postDataJSON()).toMatchObject({
      operation: { kind: "ping", depth: "meter" },
      target: { kind: "meters", meterIds: ["M-000001", "M-000002", "M-000003"] },
      lane: "urgent",
    });
    await page.waitForURL(/\/jobs\//);
    expect(complaints).toEqual([]);
  });

  it("shows an account's low credit and its ledger, and credits a payment once", async () => {
    const { page, checkAccess, complaints } = await shown.visitAs("operator");
    await page.getByRole("link", { name: "Prepayment" }).click();
    await page.getByRole("row", { name: /usual/ }).waitFor();
    await checkAccess("prepayment");
    await page.getByLabel("Account", { exact: true }).fill("A-1");
    await page.getByRole("button", { name: "Open it" }).click();
    await page.getByText("Balance 4.50 EUR").waitFor();
    await page.getByText("Low credit: the balance is at or below 5.00 EUR").waitFor();
    await page.getByRole("button", { name: "Credit it" }).click();
    await page.getByText("Expected an amount above 0").waitFor();
    await checkAccess("an account");
    await page.getByLabel("Amount, EUR").fill("20,5");
    await page.getByLabel("Reference").fill("receipt 7");
    await page.getByRole("button", { name: "Credit it" }).click();
    await page.getByText("Credited 20.50 EUR.").waitFor();
    await page.getByText("Balance 25.00 EUR").waitFor();
    await page.getByRole("row", { name: /receipt 7/ }).waitFor();
    expect(await page.getByText("Low credit").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("shows an event of demand response with what it brought, and ends it", async () => {
    const { page, checkAccess, complaints } = await shown.visitAs("operator");
    await page.getByRole("link", { name: "Demand response" }).click();
    await page
      .getByRole("row", { name: /Evening peak/ })
      .getByText("the mean of 5 days before")
      .waitFor();
    await checkAccess("demand response");
    await page.getByRole("link", { name: "hot evening" }).click();
    await page.getByText("off for 15 min of every 30 min").waitFor();
    await page.getByText("1.200 kWh shed").waitFor();
    await checkAccess("an event");
    await page.getByRole("button", { name: "End it for all" }).click();
    await page.locator(".head .badge", { hasText: "cancelled" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows who counts by a tariff's version, and brings it onto meters with a reason, for those who may", async () => {
    const { page, checkAccess, complaints } = await shown.visitAs("supervisor");
    await page.getByRole("link", { name: "Tariffs" }).click();
    await checkAccess("tariffs");
    await page.getByRole("link", { name: "residential version 2" }).click();
    await page.getByText("tier 1 from 00:00, tier 2 from 07:00").waitFor();
    await page
      .getByRole("row", { name: /M-000002/ })
      .getByText("waits for its time")
      .waitFor();
    await checkAccess("a version");
    const form = page.getByRole("form", { name: "Bring it onto meters" });
    await form.getByRole("button", { name: "Program the meters" }).click();
    await page.getByText("Say why: it is kept with the order.").waitFor();
    await form.getByLabel("Meters").selectOption("residential");
    await form.getByLabel("Active from").fill("2027-01-01T00:00");
    await form.getByLabel("Why").fill("new prices");
    const asked = page.waitForRequest((request) => request.url().endsWith("/rollouts"));
    await form.getByRole("button", { name: "Program the meters" }).click();
    expect((await asked).postDataJSON()).toMatchObject({
      target: { kind: "group", group: "residential" },
      activateAt: expect.stringMatching(/^2026-12-31T|^2027-01-01T/),
      reason: "new prices",
    });
    await page.getByRole("link", { name: "A job programs them" }).waitFor();
    expect(complaints).toEqual([]);
    const analyst = await shown.visitAs("analyst");
    await analyst.page.goto(`${shown.deployment.url}/tariffs/residential~2`);
    await analyst.page.getByText("counts by it; 1 waits").waitFor();
    expect(await analyst.page.getByRole("heading", { name: "Bring it onto meters" }).count()).toBe(0);
  });
});
