import type { Page } from "playwright-core";
import type { WatchedPage } from "./watched-page.ts";

export interface Journey {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** How long a read of the target may take, ms. */
  readonly readTimeoutMs: number;
  /** Told of each step that succeeded. */
  readonly onStep: (step: string, page: Page) => Promise<void> | void;
}

export interface JourneyResult {
  readonly meters: number;
  readonly meterId: string;
  readonly jobId: string;
  /** As the page says them. */
  readonly outcome: string;
  /** Pixels of the curve's canvas that are not empty. */
  readonly curvePixels: number;
}

const STEP_MS = 20_000;

/** Fills the issuer's form and comes back to the console. */
export async function signIn(page: Page, { url, user, password }: Pick<Journey, "url" | "user" | "password">) {
  await page.goto(url);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("input[name=username]").fill(user, { timeout: STEP_MS });
  await page.locator("input[name=password]").fill(password);
  await page.locator("button[type=submit]").click();
  await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor({ timeout: STEP_MS });
}

/** Digits of a count as the console writes it. */
export const numberIn = (text: string): number => Number(text.replace(/\D/g, ""));

export async function countOf(page: Page, state: string): Promise<number> {
  return numberIn(await page.locator(`[data-count=${state}]`).innerText());
}

/** Pixels that something was drawn on, of the largest canvas. */
export const drawnPixels = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    const data = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let drawn = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) drawn++;
    return drawn;
  });

/**
 * What an operator does first: signs in, sees the fleet, starts a read of all meters, follows it to its end, opens a meter
 * and sees its curve. Every page on the way is checked by axe.
 */
export async function walk({ page, checkAccess }: WatchedPage, journey: Journey): Promise<JourneyResult> {
  await page.goto(journey.url);
  await page.getByRole("button", { name: "Sign in" }).waitFor({ timeout: STEP_MS });
  await checkAccess("sign-in");
  await signIn(page, journey);
  await journey.onStep("signed-in", page);

  const first = page.getByRole("table", { name: "Meters" }).getByRole("link").first();
  await first.waitFor({ timeout: STEP_MS });
  const meterId = await first.innerText();
  const meters = numberIn(await page.locator("search [aria-live]").innerText());
  await checkAccess("fleet");
  await journey.onStep("fleet", page);

  await page.getByRole("link", { name: "Read now" }).click();
  await page.getByRole("heading", { level: 1, name: "Read now" }).waitFor({ timeout: STEP_MS });
  await checkAccess("read now");
  await journey.onStep("read-now", page);
  await page.getByRole("button", { name: "Start the read" }).click();
  await page.locator("[data-count=done]").waitFor({ timeout: STEP_MS });
  await checkAccess("running job");
  await journey.onStep("job-running", page);
  const jobId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await page.locator(".head .badge", { hasText: "closed" }).waitFor({ timeout: journey.readTimeoutMs });
  const outcome = await page.getByRole("progressbar").first().getAttribute("aria-valuetext");
  await page.getByRole("table", { name: "Tasks" }).getByRole("link").first().waitFor({ timeout: STEP_MS });
  await checkAccess("closed job");
  await journey.onStep("job-closed", page);

  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  await page.locator(`a[href="/jobs/${jobId}"]`).waitFor({ timeout: STEP_MS });
  await checkAccess("jobs");
  await journey.onStep("jobs", page);

  await page.getByRole("link", { name: "Fleet", exact: true }).click();
  await page.getByRole("searchbox").fill(meterId);
  await page.getByRole("table", { name: "Meters" }).getByRole("link", { name: meterId, exact: true }).click();
  await page.locator(".curve canvas").first().waitFor({ timeout: STEP_MS });
  await page.getByRole("heading", { level: 2, name: "Latest registers" }).waitFor({ timeout: STEP_MS });
  const curvePixels = await drawnPixels(page);
  await checkAccess("meter");
  await journey.onStep("meter", page);
  await page.getByRole("button", { name: "Show as table" }).click();
  await page.getByRole("region", { name: "Intervals as a table" }).waitFor({ timeout: STEP_MS });
  await checkAccess("meter, as a table");
  await journey.onStep("meter-table", page);

  for (const [link, name] of [
    ["Key figures", "Key figures"],
    ["Schedules", "Schedules"],
    ["Parked messages", "Parked messages"],
  ] as const) {
    await page.getByRole("link", { name: link, exact: true }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor({ timeout: STEP_MS });
    await page.locator("main", { hasText: "Loading" }).waitFor({ state: "detached", timeout: STEP_MS });
    await checkAccess(name);
    await journey.onStep(name.toLowerCase().replaceAll(" ", "-"), page);
  }
  return { meters, meterId, jobId, outcome: outcome ?? "", curvePixels };
}
