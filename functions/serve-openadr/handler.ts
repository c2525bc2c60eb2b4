import { type OpenadrQuery, type OpenadrRoute, openadrRoutes } from "../../shared/api/openadr-routes.ts";
import { type Collection, ID_OF, type Version } from "../../shared/demand/openadr/objects.ts";
import { isBusiness, onWire, Vtn, type VtnRefusal } from "../../shared/demand/openadr/vtn.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { documentClient } from "../adapters/document-client.ts";
import { type HttpHandlers, httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { vtnPorts } from "../adapters/vtn-ports.ts";

const vtn = new Vtn(vtnPorts(documentClient()));

interface Request {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: OpenadrQuery;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
}
const PROBLEM = {
  "not-found": ["not-found", "There is no such object."],
  conflict: ["conflict", "This conflicts with another object."],
  invalid: ["invalid-request", "The object cannot be carried out."],
  forbidden: ["forbidden", "The object is another's."],
} as const;
const refused = ({ kind, field, expected }: VtnRefusal) => {
  const [problem, detail] = PROBLEM[kind];
  return refuse(problem, detail, { field, expected });
};

function serve(name: string) {
  const [action, collection, version] = name.split(" ") as [string, Collection, Version];
  return async ({ params = {}, query, body = {}, caller }: Request) => {
    const id = params[ID_OF[collection]] ?? "";
    // 3.0.1 says the VEN of a resource in the path.
    const inPath = collection === "resources" && params.venID !== undefined ? { venID: params.venID } : {};
    if (action === "list") {
      const { targetValues, active, targets, ...rest } = query ?? { skip: 0, limit: 50 };
      const found = await vtn.list(caller, collection, {
        ...rest,
        ...inPath,
        targets: targets ?? targetValues,
        active: active === undefined ? undefined : active === "true",
      });
      return { status: 200, body: found.map((object) => onWire(version, collection, object)) };
    }
    const marked = collection === "subscriptions" ? { ...body, version, business: isBusiness(caller) } : body;
    const answer =
      action === "read"
        ? await vtn.read(caller, collection, id)
        : action === "delete"
          ? await vtn.remove(caller, collection, id)
          : await vtn.write(caller, collection, { ...marked, ...inPath }, action === "create" ? undefined : id);
    if (answer.kind !== "object") return refused(answer);
    return { status: action === "create" ? 201 : 200, body: onWire(version, collection, answer.object) };
  };
}

const served = (Object.keys(openadrRoutes) as OpenadrRoute[]).map((name) => [
  name,
  name === "notifiers 3.1.0" ? async () => ({ status: 200, body: { WEBHOOK: true } }) : serve(name),
]);

/** OpenADR 3: the VTN, both versions (`/openadr3/3.1.0`, `/openadr3/3.0.1`). */
export const handler = httpHandler(Object.fromEntries(served) as HttpHandlers);
