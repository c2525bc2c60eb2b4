import type { z } from "zod";
import type { Role } from "../security/roles.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One route. Schemas say what is on the wire by their input side and what a handler holds by their output side. */
export interface ApiRoute {
  readonly method: Method;
  /** With `{parameters}`, as API Gateway writes them. */
  readonly path: string;
  /**
   * The greedy path of the one route, for all methods, that API Gateway has for it and its siblings of the same function; absent:
   * one of its own. A stack holds 500 resources, and each route of API Gateway is two.
   */
  readonly behind?: string;
  /** Folder under `functions/`. */
  readonly function: string;
  readonly summary: string;
  /** Who may; `public`: no token is asked for. */
  readonly roles: readonly Role[] | "public";
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** Body; absent: the route takes none. */
  readonly request?: z.ZodType;
  /** Body of every status listed below except 204 and 304. */
  readonly response?: z.ZodType;
  /** Successes, the usual one first. */
  readonly statuses: readonly [number, ...number[]];
}

type Inside<S> = S extends z.ZodType ? z.output<S> : undefined;
type Outside<S> = S extends z.ZodType ? z.input<S> : undefined;
type At<R, K extends string> = R extends { readonly [key in K]: infer S } ? S : undefined;

/** What a handler gets and gives. */
export type ParamsOf<R> = Inside<At<R, "params">>;
export type QueryOf<R> = Inside<At<R, "query">>;
export type RequestOf<R> = Inside<At<R, "request">>;
export type ResponseOf<R> = Inside<At<R, "response">>;

/** What a client sends and receives as JSON. */
export type ParamsSent<R> = Outside<At<R, "params">>;
export type QuerySent<R> = Outside<At<R, "query">>;
export type RequestSent<R> = Outside<At<R, "request">>;
export type ResponseReceived<R> = Outside<At<R, "response">>;
