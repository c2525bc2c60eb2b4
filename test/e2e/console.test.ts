import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, launchChromium, NO_BROWSER } from "../browser/chromium.ts";
import { type FixtureConsole, fixtureConsole } from "../browser/fixture-console.ts";
import { countOf, signIn, walk } from "../browser/journey.ts";
import { type WatchedPage, watchedPage } from "../browser/watched-page.ts";
import { Deployment } from "./deployment.ts";

const METERS = 1200;
const chromium = findChromium();
if (chromium === undefined && process.env.CI === "true") throw new Error(`test/e2e/console.test.ts ${NO_BROWSER}`);
if (chromium === undefined) process.stderr.write(`test/e2e/console.test.ts ${NO_BROWSER}\n`);

/** The built console in a real browser, in front of fixtures typed by the table of routes. */
describe.skipIf(chromium === undefined)("the console", { timeout: 120_000 }, () => {
  let shown: FixtureConsole;
  let deployment: FixtureConsole["deployment"];
  const visit: FixtureConsole["visit"] = (...options) => shown.visit(...options);
  const visitAs: FixtureConsole["visitAs"] = (...options) => shown.visitAs(...options);

  beforeAll(async () => {
    shown = await fixtureConsole(chromium ?? "", METERS);
    ({ deployment } = shown);
  });
  afterAll(() => shown?.close());

  it("shows an operator the fleet, a read to its end, and a meter's curve, without a complaint", async () => {
    const watched = await visit();
    const result = await walk(watched, {
      url: deployment.url,
      user: "operator",
      password: deployment.password("operator"),
      readTimeoutMs: 30_000,
      onStep: () => {},
    });
    expect(watched.complaints).toEqual([]);
    expect(result.outcome).toMatch(/^1\u202f200 of 1\u202f200 ended: 1\u202f158 done, 42 failed$/);
    expect(result.curvePixels).toBeGreaterThan(5000);
    expect(deployment.unauthenticated()).toBe(0);
  });

  it("is as accessible in the dark", async () => {
    const watched = await visitAs("operator", { colorScheme: "dark", reducedMotion: "reduce" });
    const { page } = watched;
    await watched.checkAccess("fleet, dark");
    await page.goto(`${deployment.url}/meters/M-000002`);
    await page.locator(".curve canvas").waitFor();
    await watched.checkAccess("meter, dark");
    await page.goto(`${deployment.url}/parked`);
    await page.getByText("about 3").waitFor();
    await watched.checkAccess("parked messages, dark");
    expect(watched.complaints).toEqual([]);
  });

  it("builds a query, previews it, saves it and takes it as the target of a read", async () => {
    const { page, checkAccess, complaints } = await visitAs("analyst");
    await page.goto(`${deployment.url}/queries/new`);
    await page.getByLabel("Fact").selectOption("feeder");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("Say which feeder.").waitFor();
    await page.getByLabel("Value").fill("feeder-3, feeder-4");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("Meters of which the feeder is feeder-3 or feeder-4.").waitFor();
    const expected = Array.from({ length: METERS }, (_, index) => index % 7).filter(
      (at) => at === 2 || at === 3,
    ).length;
    expect(await page.locator("[data-matches]").innerText()).toBe(String(expected));
    await page.getByRole("link", { name: "M-000003", exact: true }).waitFor();
    await checkAccess("new query");
    // Groups nest by the keyboard alone, as deep as the language does, and go again.
    await page.getByRole("button", { name: "Add a group" }).press("Enter");
    const group = page.getByRole("group", { name: "Group 2" });
    await group.getByLabel("Fact").selectOption("meterId");
    await group.getByLabel("Value").fill("M-000003");
    await page.getByRole("button", { name: "Add a group to group 2" }).press("Enter");
    await page.getByRole("button", { name: "Add a group to group 2.2" }).press("Enter");
    expect(await page.getByRole("button", { name: "Add a group to group 2.2.2" }).isDisabled()).toBe(true);
    await checkAccess("new query, nested");
    await page.getByRole("button", { name: "Remove group 2.2", exact: true }).press("Enter");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("and the meter id is M-000003").waitFor();
    expect(await page.locator("[data-matches]").innerText()).toBe("1");
    await page.getByRole("button", { name: "Remove group 2", exact: true }).press("Enter");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("Meters of which the feeder is feeder-3 or feeder-4.").waitFor();
    await page.getByLabel("Name to save it under").fill("two-feeders");
    await page.getByRole("button", { name: "Save the query" }).click();
    await page.getByRole("heading", { name: "two-feeders: all matches" }).waitFor();
    await checkAccess("queries");
    await page.getByRole("link", { name: "Read the meters of two-feeders" }).click();
    await page.getByRole("heading", { level: 1, name: "Read now" }).waitFor();
    expect(await page.getByLabel("Query", { exact: true }).inputValue()).toBe("two-feeders");
    await checkAccess("read now, of a query");
    expect(complaints).toEqual([]);
  });

  it("stops switching with a reason, shows it, and lets a supervisor lift it", async () => {
    const { page, checkAccess, complaints } = await visitAs("supervisor");
    await page.goto(`${deployment.url}/safety`);
    await page.getByText("Nothing is stopped.").waitFor();
    await page.getByText("Nobody is cut off everywhere while calendar winter holds").waitFor();
    await checkAccess("switching");
    const form = page.getByRole("form", { name: "Set a stop" });
    await form.getByRole("button", { name: "Stop now" }).click();
    await page.getByText("Say why: it is written in the audit.").waitFor();
    await form.getByLabel("opening alone").check();
    await form.getByLabel("Feeder, if not everywhere").fill("feeder-3");
    await form.getByLabel("Why").fill("a crew works on the line");
    await form.getByRole("button", { name: "Stop now" }).click();
    await page.getByText("Opening is stopped on feeder feeder-3").waitFor();
    await checkAccess("switching, stopped");
    const lift = page.getByRole("form", { name: "Lift stop a1" });
    await lift.getByLabel("Why").fill("done");
    await lift.getByRole("button", { name: "Lift it" }).click();
    await page.getByText("Nothing is stopped.").waitFor();
    expect(complaints).toEqual([]);
  });

  it("orders a switch as a test unless it is said otherwise, with a reason", async () => {
    const { page, checkAccess, complaints } = await visitAs("operator");
    await page.goto(`${deployment.url}/meters/M-000002`);
    await page.getByRole("button", { name: "Operate the switch…" }).click();
    const form = page.getByRole("form", { name: "Operate the switch" });
    await checkAccess("operate the switch");
    const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/jobs"));
    await form.getByLabel("Why").fill("nobody pays");
    await form.getByRole("button", { name: "Operate the switch" }).click();
    expect((await asked).postDataJSON()).toMatchObject({
      operation: { kind: "operateSwitch", to: "open" },
      target: { kind: "meters", meterIds: ["M-000002"] },
      test: true,
      reason: "nobody pays",
    });
    await page.getByRole("heading", { level: 1, name: "Open the switch" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("holds only the rows in sight, and goes through them by keyboard", async () => {
    const { page, complaints } = await visitAs("analyst");
    const table = page.getByRole("table", { name: "Meters" });
    await table.getByRole("link").first().waitFor();
    expect(await table.getByRole("row").count()).toBeLessThan(60);
    await page.getByRole("region", { name: "List of meters" }).focus();
    for (let press = 0; press < 3; press++) await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => document.activeElement?.textContent === "M-000003");
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.activeElement?.textContent === "M-000200");
    // The end of what is loaded brings the next page.
    await page.getByText("400 meters loaded").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "M-000200" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("finds a meter by the beginning of its id, by its serial, and keeps the search on the way back", async () => {
    const { page } = await visitAs("analyst");
    const search = page.getByRole("searchbox");
    await search.fill("M-0011");
    await page.getByText("100 meters", { exact: true }).waitFor();
    await search.fill("SN70000037");
    await page.getByText("1 meter", { exact: true }).waitFor();
    await page.getByRole("link", { name: "M-000002", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "M-000002" }).waitFor();
    await page.goBack();
    expect(await search.inputValue()).toBe("SN70000037");
    await search.fill("nothing-of-the-kind");
    await page.getByText("No meter fits.").waitFor();
  });

  it("comes back to the same page after a reload without asking for the password again", async () => {
    const { page, complaints } = await visitAs("operator");
    await page.goto(`${deployment.url}/meters/M-000005?day=2026-01-15`);
    await page.getByRole("heading", { level: 1, name: "M-000005" }).waitFor();
    expect(new URL(page.url()).search).toBe("?day=2026-01-15");
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
    expect(kept).not.toMatch(/ey[\w-]+\.ey[\w-]+/);
    expect(complaints).toEqual([]);
  });

  /** Lets every token of this page run out after so many seconds. */
  const shortTokens = (watched: WatchedPage, seconds: number, grants: string[]) =>
    watched.page.route("**/oauth2/token", async (route) => {
      grants.push(new URLSearchParams(route.request().postData() ?? "").get("grant_type") ?? "");
      const response = await route.fetch();
      const tokens = (await response.json()) as Record<string, unknown>;
      await route.fulfill({ response, json: { ...tokens, expires_in: seconds } });
    });

  it("renews its token before it runs out, without leaving the page", async () => {
    const watched = await visit();
    const grants: string[] = [];
    await shortTokens(watched, 61, grants);
    await signIn(watched.page, { url: deployment.url, user: "operator", password: deployment.password("operator") });
    await watched.page.getByRole("searchbox").fill("M-0001");
    await expect.poll(() => grants.slice(0, 2), { timeout: 15_000 }).toEqual(["authorization_code", "refresh_token"]);
    expect(await watched.page.getByRole("searchbox").inputValue()).toBe("M-0001");
    expect(watched.complaints).toEqual([]);
  });

  it("keeps the page when the sign-in has ended, and says so", async () => {
    const watched = await visit();
    await shortTokens(watched, 2, []);
    await signIn(watched.page, { url: deployment.url, user: "operator", password: deployment.password("operator") });
    await watched.page.unrouteAll();
    await watched.page.route("**/oauth2/token", (route) =>
      route.fulfill({ status: 400, json: { error: "invalid_grant" }, headers: { "access-control-allow-origin": "*" } }),
    );
    await watched.page.getByRole("searchbox").fill("M-0001");
    await watched.page.getByText("Your sign-in has ended.").waitFor({ timeout: 15_000 });
    await watched.checkAccess("ended sign-in");
    expect(await watched.page.getByRole("searchbox").inputValue()).toBe("M-0001");
    await watched.page.unrouteAll();
    await watched.page.getByRole("button", { name: "Sign in again" }).click();
    await watched.page.getByText("100 meters", { exact: true }).waitFor();
    expect(new URL(watched.page.url()).search).toBe("?search=M-0001");
  });

  it("signs out at the issuer as well", async () => {
    const { page } = await visitAs("operator");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("input[name=password]").waitFor();
  });

  it("offers reading to those who may, and says so to others", async () => {
    const { page, complaints } = await visitAs("administrator");
    await page.getByRole("table", { name: "Meters" }).getByRole("link").first().waitFor();
    expect(await page.getByRole("link", { name: "Read now" }).count()).toBe(0);
    await page.goto(`${deployment.url}/jobs/new`);
    await page.getByText("Your role does not read meters.").waitFor();
    expect(complaints).toEqual([]);
  });

  it("refuses an incomplete form with what it expects, and reads one meter", async () => {
    const { page, checkAccess, complaints } = await visitAs("operator");
    await page.getByRole("link", { name: "Read now" }).click();
    await page.getByLabel("One meter").check();
    await page.getByRole("button", { name: "Start the read" }).click();
    await page.getByText("Expected a meter id").waitFor();
    await checkAccess("refused form");
    await page.getByLabel("Meter id").fill("M-000007");
    await page.getByLabel("All registers, as they stand").check();
    await page.getByRole("button", { name: "Start the read" }).click();
    await page.getByRole("heading", { level: 1, name: "Read all registers" }).waitFor();
    await page.locator(".head .badge", { hasText: "closed" }).waitFor({ timeout: 30_000 });
    expect(await countOf(page, "done")).toBe(1);
    expect(complaints).toEqual([]);
  });

  it("pauses a read and resumes it, says what to do about failures, and asks the same again for what failed", async () => {
    const { page, checkAccess, complaints } = await visitAs("operator");
    await page.getByRole("link", { name: "Read now" }).click();
    await page.getByLabel("A group").check();
    await page.getByLabel("Group", { exact: true }).selectOption("residential");
    await page.getByRole("button", { name: "Start the read" }).click();
    await page.getByRole("button", { name: "Pause the job" }).click();
    await page.locator(".head .badge", { hasText: "paused" }).waitFor();
    await checkAccess("paused job");
    await page.getByRole("button", { name: "Resume the job" }).click();
    await page.locator(".head .badge", { hasText: "closed" }).waitFor({ timeout: 30_000 });
    await page.getByText("Keys, system title or proof did not match.").waitFor();
    await page.getByLabel("Again, for what failed:").selectOption("timeout");
    await checkAccess("closed job with failures");
    const first = page.url();
    await page.getByRole("button", { name: "Start a new job" }).click();
    await page.waitForURL((url) => url.href !== first);
    await page.getByText("What failed of job").waitFor();
    expect(complaints).toEqual([]);
  });

  it("makes a schedule with its next runs in sight, and pauses it", async () => {
    const { page, checkAccess, complaints } = await visitAs("analyst");
    await page.getByRole("link", { name: "Schedules", exact: true }).click();
    await page.getByText("by supervisor: feeder works").waitFor();
    await page.getByRole("link", { name: "New schedule" }).click();
    await page.getByRole("button", { name: "Save the schedule" }).click();
    await page.getByText("Give the schedule a name.").waitFor();
    await page.getByLabel("Name").fill("Mornings");
    await page.getByLabel("Begin with").selectOption("on working days at 06:00");
    await page.getByLabel("not in holidays").check();
    await page.getByText("skipped: holidays").first().waitFor();
    await page.getByLabel("A run in a blackout is").selectOption("moved to its end");
    await page.getByText("moved by holidays").first().waitFor();
    await checkAccess("new schedule");
    await page.getByRole("button", { name: "Save the schedule" }).click();
    const row = page.getByRole("row", { name: /Mornings/ });
    await row.getByText("not in holidays").waitFor();
    await row.getByRole("button", { name: "Pause Mornings" }).click();
    await row.getByText("paused").waitFor();
    await row.getByRole("button", { name: "Resume Mornings" }).click();
    await row.getByText("enabled").waitFor();
    await checkAccess("schedules");
    expect(complaints).toEqual([]);
  });

  it("shows a refusal of the API with what to do", async () => {
    const watched = await visitAs("operator");
    const { page, checkAccess } = watched;
    await page.goto(`${deployment.url}/meters/M-999999`);
    await page.getByText("No meter M-999999 is enrolled.").waitFor();
    await page.getByText("Check the name.").waitFor();
    await checkAccess("unknown meter");
    // The browser itself notes a 404 on its console; nothing else may be there.
    expect(watched.complaints.filter((complaint) => !/status of 404/.test(complaint))).toEqual([]);
  });

  it("asks for a list that did not change by its ETag", async () => {
    const { page } = await visitAs("analyst");
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await page.getByRole("progressbar").first().waitFor();
    const before = deployment.unchanged();
    await expect.poll(() => deployment.unchanged(), { timeout: 15_000 }).toBeGreaterThan(before);
  });

  it("sends parked messages again", async () => {
    const { page, complaints } = await visitAs("operator");
    await page.getByRole("link", { name: "Parked messages" }).click();
    await page.getByRole("button", { name: "Send all again" }).click();
    await page.getByText("3 sent again, 0 still parked.").waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows whose webhooks fail and why, resumes one and deletes another", async () => {
    const { page, complaints, checkAccess } = await visitAs("operator");
    await page.getByRole("link", { name: "Subscriptions", exact: true }).click();
    const row = page.getByRole("row", { name: /Control room/ });
    await row.getByText("the endpoint answered 503, 48 in a row").waitFor();
    await checkAccess("subscriptions");
    await row.getByRole("button", { name: "Resume Control room" }).click();
    await row.getByText("active").waitFor();
    const other = page.getByRole("row", { name: /Market/ });
    await other.getByRole("button", { name: "Delete Market" }).click();
    await other.getByRole("button", { name: "Delete it for good Market" }).click();
    await other.waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
  });

  it("leads from a key figure to the meters behind it, and from there to a meter", async () => {
    const { page, complaints, checkAccess } = await visitAs("analyst");
    await page.getByRole("link", { name: "Key figures" }).click();
    const row = page.getByRole("row", { name: /^1 day/ });
    await row.getByRole("link", { name: "1 meter" }).click();
    await page.getByRole("heading", { level: 1, name: "Meters not heard of for 1 day" }).waitFor();
    const meter = page.getByRole("table", { name: "Meters" }).getByRole("link").first();
    const meterId = await meter.innerText();
    await checkAccess("meters behind a figure");
    await meter.click();
    await page.getByRole("heading", { level: 1, name: meterId }).waitFor();
    expect(complaints).toEqual([]);
  });
});

/** The same console before the real API, bridge and simulated meters. */
describe.skipIf(chromium === undefined)("the console of a running deployment", () => {
  it("shows an operator the town being read, and a meter's curve", { timeout: 300_000 }, async () => {
    const deployment = await Deployment.start(["--meters", "20"]);
    const browser = await launchChromium(chromium ?? "");
    try {
      const { console: url, issuer, users } = deployment.info;
      const person = users.find(({ role }) => role === "operator");
      const watched = await watchedPage(browser, [new URL(url).origin, new URL(issuer).origin]);
      const result = await walk(watched, {
        url,
        user: person?.name ?? "",
        password: person?.password ?? "",
        readTimeoutMs: 120_000,
        onStep: () => {},
      });
      expect(watched.complaints).toEqual([]);
      expect(result.meters).toBe(20);
      expect(result.outcome).toBe("20 of 20 ended: 20 done");
      expect(result.curvePixels).toBeGreaterThan(5000);
    } finally {
      await browser.close();
      await deployment.stop();
    }
  });
});
