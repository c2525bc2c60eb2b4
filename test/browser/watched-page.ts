import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** A page whose every request, error and accessibility violation is noted. */
export interface WatchedPage {
  readonly page: Page;
  /** What went wrong so far: console errors, uncaught errors, requests to other origins, axe violations. */
  readonly complaints: readonly string[];
  /** Runs axe on the page as it stands. */
  readonly checkAccess: (where: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens a page that may speak to the given origins only; a request to any other is aborted and noted. */
export async function watchedPage(
  browser: Browser,
  origins: readonly string[],
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const complaints: string[] = [];
  // axe is put into the page from outside, which its content security policy would refuse to any script of its own.
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  await context.route("**/*", async (route) => {
    const url = route.request().url();
    if (url.startsWith("data:") || origins.includes(new URL(url).origin)) return route.continue();
    complaints.push(`request to another origin: ${url}`);
    return route.abort();
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console error on ${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught on ${page.url()}: ${error.stack ?? error.message}`));
  return {
    page,
    complaints,
    async checkAccess(where) {
      await page.evaluate(AXE);
      const { violations } = (await page.evaluate(
        (tags) => (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run({ runOnly: tags }),
        TAGS,
      )) as AxeResults;
      for (const { id, help, nodes } of violations)
        complaints.push(`axe on ${where}: ${id}, ${help}: ${nodes.map(({ target }) => target.join(" ")).join("; ")}`);
    },
    close: () => context.close(),
  };
}
