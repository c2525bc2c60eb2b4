import { z } from "zod";
import { ROLE_PURPOSES, ROLES } from "../security/roles.ts";
import { Problem } from "./problem.ts";
import type { ApiRoute } from "./route.ts";
import { routes } from "./routes.ts";

type Json = { readonly [key: string]: unknown };

const PROBLEM_RESPONSES: Readonly<Record<string, string>> = {
  "400": "Not as expected: `errors` names field and expectation",
  "401": "No valid access token",
  "403": "The caller lacks the role",
  "404": "There is no such thing",
  "409": "Conflicts with what is there",
  "422": "Cannot be carried out: `errors` names field and expectation",
};

/** What is on the wire: the input side of codecs and of defaults. Parts that have an id are referred to. */
function wireSchema(schema: z.ZodType): Json {
  const { $schema: _, $defs: _parts, ...rest } = draft(schema);
  return referring(rest);
}
const draft = (schema: z.ZodType): Json & { readonly $defs?: Json } =>
  z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }) as Json;
const referring = (schema: Json): Json =>
  JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/')) as Json;

/** Parts with an id of every request and answer, once each. */
function namedParts(): Json {
  const parts = Object.values(routes as Readonly<Record<string, ApiRoute>>).flatMap(({ request, response }) =>
    [request, response].flatMap((schema) => (schema === undefined ? [] : Object.entries(draft(schema).$defs ?? {}))),
  );
  return referring(Object.fromEntries(parts));
}

function parameters(place: "path" | "query", schema: z.ZodType | undefined): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = wireSchema(schema) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
}

function operation(name: string, route: ApiRoute): Json {
  const isPublic = route.roles === "public";
  const content = (schema: Json) => ({ "application/json": { schema } });
  const successes = route.statuses.map((status) => [
    String(status),
    status === 304
      ? { description: "Unchanged since the given ETag" }
      : {
          description: route.summary,
          ...(status === 204 ? {} : { content: content(route.response ? wireSchema(route.response) : {}) }),
        },
  ]);
  const problems = Object.keys(PROBLEM_RESPONSES)
    .filter((status) => !isPublic || (status !== "401" && status !== "403"))
    .map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]);
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.path.split("/")[1]],
    parameters: [...parameters("path", route.params), ...parameters("query", route.query)],
    ...(route.request
      ? {
          requestBody: {
            required: !route.request.safeParse(undefined).success,
            content: content(wireSchema(route.request)),
          },
        }
      : {}),
    responses: Object.fromEntries([...successes, ...problems]),
    // One of the roles is enough: each is an alternative.
    security: isPublic ? [] : (route.roles as readonly string[]).map((role) => ({ token: [`headrace/${role}`] })),
  };
}

/** The OpenAPI 3.1 description of the API, made from the table of routes. `tokenUrl` is where clients get a token. */
export function openApi(version: string, tokenUrl = "/oauth2/token"): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries(routes)) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Headrace",
      version,
      description:
        "Between a utility's meters and its back office. Everything asked of meters is a job. Instants are ISO 8601; values are integers as decimal strings with a power-of-ten scaler.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "oauth2",
          description: "People have their roles by group, machine clients by scope.",
          flows: {
            clientCredentials: {
              tokenUrl,
              scopes: Object.fromEntries(ROLES.map((role) => [`headrace/${role}`, ROLE_PURPOSES[role]])),
            },
          },
        },
      },
      schemas: { Problem: wireSchema(Problem), ...namedParts() },
      responses: Object.fromEntries(
        Object.entries(PROBLEM_RESPONSES).map(([status, description]) => [
          `Problem${status}`,
          {
            description,
            content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
          },
        ]),
      ),
    },
  };
}
