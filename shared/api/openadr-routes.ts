import { z } from "zod";
import {
  COLLECTIONS,
  type Collection,
  ID_OF,
  ObjectId,
  ObjectInApi,
  REQUEST_OF,
  VERSIONS,
  type Version,
} from "../demand/openadr/objects.ts";
import type { Role } from "../security/roles.ts";
import type { ApiRoute, Method } from "./route.ts";
import { LOOKS, STOPS } from "./route-roles.ts";

const FUNCTION = "serve-openadr";

/** Which roles have the scopes that OpenADR names for writing; reading is everybody's, each sees what it may. */
const WRITERS: Readonly<Record<Collection, readonly Role[]>> = {
  programs: STOPS,
  events: STOPS,
  reports: ["operator", "supervisor", "subscriber"],
  subscriptions: LOOKS,
  vens: LOOKS,
  resources: LOOKS,
};

const whole = (most: number) =>
  z.codec(z.string().regex(/^\d{1,6}$/), z.int().min(0).max(most), { decode: Number, encode: String });
/** Repeated parameters come as one, by commas. */
const Many = z.codec(z.string().min(1).max(2_000), z.array(z.string().min(1).max(128)), {
  decode: (text) => text.split(","),
  encode: (all) => all.join(","),
});
const Query = z.strictObject({
  programID: ObjectId.optional(),
  eventID: ObjectId.optional(),
  venID: ObjectId.optional(),
  clientName: z.string().max(128).optional(),
  venName: z.string().max(128).optional(),
  resourceName: z.string().max(128).optional(),
  objects: Many.optional(),
  targets: Many.optional(),
  /** 3.0.1: the type is not looked at. */
  targetType: z.string().max(128).optional(),
  targetValues: Many.optional(),
  active: z.enum(["true", "false"]).optional(),
  skip: whole(999_999).default(0),
  limit: whole(50).default(50),
});
export type OpenadrQuery = z.output<typeof Query>;

type Action = "list" | "create" | "read" | "replace" | "delete";
export type OpenadrRoute = `${Action} ${Collection} ${Version}` | "notifiers 3.1.0";

export const basePath = (version: Version): string => `/openadr3/${version}`;
const behindOf = (version: Version): string => `${basePath(version)}/{path+}`;
const ofVens = (version: Version, collection: Collection): boolean => version === "3.0.1" && collection === "resources";
const paramsOf = (names: readonly string[]) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, ObjectId])));

function rows(version: Version, collection: Collection): readonly (readonly [OpenadrRoute, ApiRoute])[] {
  const nested = ofVens(version, collection);
  const path = `${basePath(version)}${nested ? "/vens/{venID}/resources" : `/${collection}`}`;
  const id = ID_OF[collection];
  const outer = nested ? ["venID"] : [];
  const row = (
    action: Action,
    method: Method,
    rest: Pick<ApiRoute, "statuses"> & Partial<ApiRoute>,
  ): readonly [OpenadrRoute, ApiRoute] => {
    const one = action !== "list" && action !== "create";
    const names = [...outer, ...(one ? [id] : [])];
    return [
      `${action} ${collection} ${version}`,
      {
        method,
        path: one ? `${path}/{${id}}` : path,
        behind: behindOf(version),
        function: FUNCTION,
        summary: `OpenADR ${version}: ${action} ${collection}`,
        roles: action === "list" || action === "read" ? LOOKS : WRITERS[collection],
        ...(names.length === 0 ? {} : { params: paramsOf(names) }),
        response: ObjectInApi,
        ...rest,
      },
    ];
  };
  const request = REQUEST_OF[collection];
  return [
    row("list", "GET", { query: Query, response: z.array(ObjectInApi), statuses: [200] }),
    row("create", "POST", { request, statuses: [201] }),
    row("read", "GET", { statuses: [200] }),
    row("replace", "PUT", { request, statuses: [200] }),
    row("delete", "DELETE", { statuses: [200] }),
  ];
}

/** OpenADR 3 for clients of the VTN, each version on its own base path. Part of the one table (`routes.ts`). */
export const openadrRoutes = Object.fromEntries([
  ...VERSIONS.flatMap((version) => COLLECTIONS.flatMap((one) => rows(version, one))),
  [
    "notifiers 3.1.0",
    {
      method: "GET",
      path: `${basePath("3.1.0")}/notifiers`,
      behind: behindOf("3.1.0"),
      function: FUNCTION,
      summary: "OpenADR 3.1.0: how subscribers are told",
      roles: LOOKS,
      response: z.strictObject({ WEBHOOK: z.boolean() }),
      statuses: [200],
    },
  ],
]) as Readonly<Record<OpenadrRoute, ApiRoute>>;
