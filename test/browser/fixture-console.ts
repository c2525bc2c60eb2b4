import { buildConsole } from "../../infra/console-bundle.ts";
import { launchChromium } from "./chromium.ts";
import { FixtureApi } from "./fixture-api.ts";
import { type FixtureDeployment, startFixtureDeployment } from "./fixture-deployment.ts";
import { signIn } from "./journey.ts";
import { type WatchedPage, watchedPage } from "./watched-page.ts";

type Options = Parameters<typeof watchedPage>[2];

/** The built console in a browser, in front of fixtures; `close` closes every page that was visited. */
export interface FixtureConsole {
  readonly deployment: FixtureDeployment;
  visit(options?: Options): Promise<WatchedPage>;
  visitAs(role: string, options?: Options): Promise<WatchedPage>;
  close(): Promise<void>;
}

export async function fixtureConsole(chromium: string, meters: number): Promise<FixtureConsole> {
  const folder = await buildConsole();
  if (folder === undefined) throw new Error("expected a console to build");
  const deployment = await startFixtureDeployment(folder, new FixtureApi(meters, Date.now, 3000));
  const browser = await launchChromium(chromium);
  const open: WatchedPage[] = [];
  const visit = async (options: Options = {}): Promise<WatchedPage> => {
    const watched = await watchedPage(browser, [deployment.url, deployment.issuer], options);
    open.push(watched);
    return watched;
  };
  return {
    deployment,
    visit,
    async visitAs(role, options) {
      const watched = await visit(options);
      await signIn(watched.page, { url: deployment.url, user: role, password: deployment.password(role) });
      return watched;
    },
    async close() {
      await Promise.all(open.map(({ close }) => close()));
      await browser.close();
      await deployment.close();
    },
  };
}
