import { InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { holderOf, type TokenHolder } from "./access-token.ts";
import type { ConsoleSettings } from "./settings.ts";

export type SessionState =
  | { readonly kind: "starting" }
  | { readonly kind: "signed-out"; readonly notice?: string }
  | { readonly kind: "signed-in"; readonly holder: TokenHolder }
  /** The token ran out and could not be renewed; the page stays as it is until the person signs in again. */
  | { readonly kind: "expired"; readonly holder: TokenHolder };

export interface Session {
  readonly state: () => SessionState;
  readonly subscribe: (listener: () => void) => () => void;
  readonly start: () => Promise<void>;
  readonly signIn: () => Promise<void>;
  readonly signOut: () => Promise<void>;
  readonly token: () => string | undefined;
  /** True when there is a fresh token now. */
  readonly renew: () => Promise<boolean>;
}

const CALLBACK = "/callback";
/** Says only that this tab was signed in, so that a reload may go to the issuer and come back without a question. */
const MARK = "headrace.signed-in";

/** A path of this console to come back to; anything else leads to the first page. */
export const returnPath = (state: unknown): string =>
  typeof state === "string" && /^\/(?![/\\])/.test(state) && !state.startsWith(CALLBACK) ? state : "/";

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Sign-in by the OpenID Connect code flow with PKCE. Tokens live in memory alone; across the redirect only the flow's own
 * state is kept in the tab's session storage. Renewal is by refresh token where the issuer gives one.
 */
export function createSession(settings: ConsoleSettings, place: Window): Session {
  const { origin } = place.location;
  const manager = new UserManager({
    authority: settings.issuer,
    client_id: settings.clientId,
    redirect_uri: origin + CALLBACK,
    post_logout_redirect_uri: `${origin}/`,
    response_type: "code",
    scope: "openid",
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: place.sessionStorage }),
    automaticSilentRenew: false,
    monitorSession: false,
    loadUserInfo: false,
  });

  let current: SessionState = { kind: "starting" };
  let user: User | undefined;
  let renewal: Promise<boolean> | undefined;
  const listeners = new Set<() => void>();
  const become = (next: SessionState) => {
    current = next;
    for (const listener of listeners) listener();
  };
  const admit = (found: User) => {
    user = found;
    place.sessionStorage.setItem(MARK, "1");
    become({ kind: "signed-in", holder: holderOf(found.access_token) });
  };
  const expire = () => {
    const holder = current.kind === "signed-in" || current.kind === "expired" ? current.holder : undefined;
    user = undefined;
    become(holder === undefined ? { kind: "signed-out" } : { kind: "expired", holder });
  };

  const askFresh = async (): Promise<boolean> => {
    if (user?.refresh_token === undefined) return false;
    try {
      const found = await manager.signinSilent();
      if (found !== null) admit(found);
      return found !== null;
    } catch {
      return false; // who needed the token says so: by the state "expired", or by trying again
    }
  };
  /** One renewal at a time, however many calls wait for it. */
  const refresh = (): Promise<boolean> => {
    renewal ??= askFresh().finally(() => {
      renewal = undefined;
    });
    return renewal;
  };
  const renew = async (): Promise<boolean> => {
    const fresh = await refresh();
    if (!fresh) expire();
    return fresh;
  };
  manager.events.addAccessTokenExpiring(() => void refresh());
  manager.events.addAccessTokenExpired(() => void renew());

  const signIn = async () => {
    const { pathname, search } = place.location;
    try {
      await manager.signinRedirect({ state: returnPath(pathname + search) });
    } catch (error) {
      place.sessionStorage.removeItem(MARK);
      become({ kind: "signed-out", notice: `The identity provider does not answer: ${messageOf(error)}` });
    }
  };

  return {
    state: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      if (place.location.pathname === CALLBACK) {
        try {
          const found = await manager.signinRedirectCallback();
          place.history.replaceState(null, "", returnPath(found.state));
          admit(found);
        } catch (error) {
          place.sessionStorage.removeItem(MARK);
          place.history.replaceState(null, "", "/");
          become({ kind: "signed-out", notice: `Signing in did not succeed: ${messageOf(error)}` });
        }
      } else if (place.sessionStorage.getItem(MARK) !== null) {
        place.sessionStorage.removeItem(MARK);
        await signIn();
      } else become({ kind: "signed-out" });
    },
    signIn,
    async signOut() {
      place.sessionStorage.removeItem(MARK);
      const left = `${origin}/`;
      // Cognito wants its own two parameters, others the standard's; each ignores what it does not know.
      const cognito = { client_id: settings.clientId, logout_uri: left };
      try {
        if ((await manager.metadataService.getEndSessionEndpoint()) !== undefined)
          await manager.signoutRedirect({ extraQueryParams: cognito });
        else {
          // Cognito's lies beside its authorization endpoint, described or not.
          const end = new URL("/logout", await manager.metadataService.getAuthorizationEndpoint());
          end.search = new URLSearchParams(cognito).toString();
          place.location.assign(end);
        }
      } catch {
        await manager.removeUser();
        user = undefined;
        become({
          kind: "signed-out",
          notice: "Signed out here. The identity provider could not be told: close the browser to end its session too.",
        });
      }
    },
    token: () => user?.access_token,
    renew,
  };
}
