import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/api-error.ts";
import { apiClient } from "./api/client.ts";
import { ApiContext } from "./api/use-api.ts";
import { Shell } from "./shell/shell.tsx";
import { createSession } from "./sign-in/session.ts";
import { type ConsoleSettings, loadSettings } from "./sign-in/settings.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { SessionContext, useSessionState } from "./sign-in/use-session.ts";
import "./style/tokens.css";
import "./style/page.css";
import "./style/controls.css";
import "./style/status.css";
import "./style/table.css";

/** Refusals stay refusals; only what may pass by itself is asked again. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof ApiError) || error.problem.status === 0 || error.problem.status >= 500;

function Console({ settings }: { readonly settings: ConsoleSettings }) {
  const state = useSessionState();
  switch (state.kind) {
    case "starting":
      return (
        <main className="welcome">
          <p className="muted">Starting…</p>
        </main>
      );
    case "signed-out":
      return (
        <SignInPage
          deployment={settings.deployment}
          {...(state.notice === undefined ? {} : { notice: state.notice })}
        />
      );
    case "signed-in":
    case "expired":
      return <Shell deployment={settings.deployment} holder={state.holder} />;
  }
}

async function start(place: HTMLElement) {
  const root = createRoot(place);
  let settings: ConsoleSettings;
  try {
    settings = await loadSettings();
  } catch (error) {
    root.render(
      <main className="welcome">
        <div className="problem" role="alert">
          <strong>The console’s settings cannot be read</strong>
          <p>{error instanceof Error ? error.message : String(error)}</p>
          <p>Load the page again. If it stays, the deployment of the console is incomplete.</p>
        </div>
      </main>,
    );
    return;
  }
  const session = createSession(settings, window);
  const api = apiClient({
    apiBase: settings.apiBase,
    fetch: (input, init) => window.fetch(input, init),
    token: session.token,
    renew: session.renew,
  });
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 2 && mayPass(error),
        staleTime: 5000,
        refetchOnWindowFocus: true,
      },
    },
  });
  root.render(
    <StrictMode>
      <SessionContext value={session}>
        <ApiContext value={api}>
          <QueryClientProvider client={queries}>
            <Console settings={settings} />
          </QueryClientProvider>
        </ApiContext>
      </SessionContext>
    </StrictMode>,
  );
  await session.start();
}

const place = document.getElementById("root");
if (place === null) throw new Error("expected an element with the id root");
void start(place);
