import { createContext, useContext } from "react";
import type { ApiClient } from "./client.ts";

export const ApiContext = createContext<ApiClient | undefined>(undefined);

export function useApi(): ApiClient {
  const api = useContext(ApiContext);
  if (api === undefined) throw new Error("expected an API client around this page");
  return api;
}
