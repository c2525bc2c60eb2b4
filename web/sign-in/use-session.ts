import { createContext, useContext, useSyncExternalStore } from "react";
import type { ConsoleRoute } from "../api/paths.ts";
import { mayCall, mayOrder } from "./permissions.ts";
import type { Session, SessionState } from "./session.ts";

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("expected a session around this page");
  return session;
}

export function useSessionState(): SessionState {
  const session = useSession();
  return useSyncExternalStore(session.subscribe, session.state);
}

/** Whether the person may call the route, as far as the console knows. */
export function useMay(route: ConsoleRoute): boolean {
  const state = useSessionState();
  return "holder" in state && mayCall(state.holder.roles, route);
}

/** Whether the person may give orders to meters, as far as the console knows. */
export function useMayOrder(): boolean {
  const state = useSessionState();
  return "holder" in state && mayOrder(state.holder.roles);
}
