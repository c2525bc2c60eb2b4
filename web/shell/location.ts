import { useSyncExternalStore } from "react";

/** Where the console is: a path and its query, kept in the address bar. */
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
};

export function goTo(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") {
    window.history.pushState(null, "", to);
    window.scrollTo(0, 0);
  } else window.history.replaceState(null, "", to);
  tell();
}

export const usePath = (): string => useSyncExternalStore(subscribe, () => window.location.pathname);
export const useSearch = (): string => useSyncExternalStore(subscribe, () => window.location.search);

/** One parameter of the query, and how to set it without a new entry in the history; "" removes it. */
export function useQueryParameter(name: string): readonly [string, (value: string) => void] {
  const value = new URLSearchParams(useSearch()).get(name) ?? "";
  const change = (next: string) => {
    const query = new URLSearchParams(window.location.search);
    if (next === "") query.delete(name);
    else query.set(name, next);
    const text = query.toString();
    goTo(window.location.pathname + (text === "" ? "" : `?${text}`), "replace");
  };
  return [value, change];
}
