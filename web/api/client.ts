import type { ParamsSent, QuerySent, RequestSent, ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { ApiError, problemIn, unreachable } from "./api-error.ts";
import { type ConsoleRoute, PATHS } from "./paths.ts";

type Part<Name extends string, Value> = [Value] extends [undefined]
  ? unknown
  : Record<string, never> extends Value
    ? { readonly [key in Name]?: Value }
    : { readonly [key in Name]: Value };

/** What a call needs: path parameters, query and body as the route's schemas have them on the wire. */
export type CallInput<N extends ConsoleRoute> = Part<"params", ParamsSent<Routes[N]>> &
  Part<"query", QuerySent<Routes[N]>> &
  Part<"request", RequestSent<Routes[N]>>;
export type Answer<N extends ConsoleRoute> = ResponseReceived<Routes[N]>;

/** Throws `ApiError` with the problem that the API told, or that the console met on the way there. */
export type ApiClient = <N extends ConsoleRoute>(
  route: N,
  input: CallInput<N>,
  options?: { readonly signal?: AbortSignal },
) => Promise<Answer<N>>;

interface Loose {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly request?: unknown;
}

/** Path and query of a call below the API's base. Throws when a path parameter is missing. */
export function pathOf(path: string, { params = {}, query = {} }: Loose): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined || value === "") throw new Error(`${path}: expected a value for ${name}`);
    return encodeURIComponent(value);
  });
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = new URLSearchParams(pairs).toString();
  return search === "" ? filled : `${filled}?${search}`;
}

/** Answers remembered for `If-None-Match`; the oldest goes when there are more. */
const REMEMBERED_MAX = 200;

export interface ClientPorts {
  readonly apiBase: string;
  readonly fetch: typeof globalThis.fetch;
  /** The access token to send, while there is one. */
  readonly token: () => string | undefined;
  /** Called on 401: true when a fresh token was got, so that the call may be made once more. */
  readonly renew: () => Promise<boolean>;
}

/**
 * The API, typed by its table of routes. A GET that was answered with an ETag is asked for conditionally the next time,
 * and 304 gives the same object as before, so that nothing is drawn anew.
 */
export function apiClient(ports: ClientPorts): ApiClient {
  const remembered = new Map<string, { readonly etag: string; readonly body: unknown }>();

  const send = async (method: string, url: string, request: unknown, signal: AbortSignal | undefined) => {
    const token = ports.token();
    const known = method === "GET" ? remembered.get(url) : undefined;
    const headers: Record<string, string> = { accept: "application/json" };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (known !== undefined) headers["if-none-match"] = known.etag;
    if (request !== undefined) headers["content-type"] = "application/json";
    try {
      return await ports.fetch(url, {
        method,
        headers,
        cache: "no-store",
        ...(request === undefined ? {} : { body: JSON.stringify(request) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new ApiError(unreachable(url), { cause: error });
    }
  };

  return async (route, input, options) => {
    const { method, path } = PATHS[route];
    const loose = input as Loose;
    const url = ports.apiBase + pathOf(path, loose);
    let response = await send(method, url, loose.request, options?.signal);
    if (response.status === 401 && (await ports.renew()))
      response = await send(method, url, loose.request, options?.signal);
    const known = remembered.get(url);
    if (response.status === 304 && known !== undefined) return known.body as never;
    if (!response.ok) throw new ApiError(await problemIn(response));
    if (response.status === 204) return undefined as never;
    const body: unknown = await response.json();
    const etag = response.headers.get("etag");
    if (method === "GET" && etag !== null) {
      remembered.delete(url);
      remembered.set(url, { etag, body });
      const oldest = remembered.keys().next();
      if (remembered.size > REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value);
    }
    return body as never;
  };
}
