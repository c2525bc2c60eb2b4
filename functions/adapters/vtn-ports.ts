import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Notification, VtnPorts } from "../../shared/demand/openadr/vtn.ts";
import { piecesOf } from "../../shared/jobs/concurrency.ts";
import { lambdaClient } from "./aws-clients.ts";
import { dynamoDemand } from "./dynamo-demand.ts";
import { dynamoOpenadr } from "./dynamo-openadr.ts";
import { invoker } from "./lambda-invoker.ts";
import { Setting, settings } from "./settings.ts";
import { productClock } from "./system-clock.ts";
import { newId } from "./system-random.ts";

/** An asynchronous invocation takes 256 kB. */
const OCTETS_MAX = 200_000;
const AT_ONCE = 20;

/** Ports of the VTN as the environment says. */
export function vtnPorts(db: DynamoDBDocumentClient): VtnPorts {
  const env = settings({ LEDGER_TABLE: Setting, NOTIFY_OPENADR_FUNCTION: Setting });
  const start = invoker(lambdaClient(), env.NOTIFY_OPENADR_FUNCTION);
  const fits = (one: Notification): Notification =>
    JSON.stringify(one).length <= OCTETS_MAX / AT_ONCE ? one : thin(one);
  return {
    demand: dynamoDemand(db, env.LEDGER_TABLE),
    objects: dynamoOpenadr(db, env.LEDGER_TABLE),
    now: () => productClock.now(),
    newId: () => newId(productClock.now()),
    async notify(notifications) {
      for (const piece of piecesOf(notifications.map(fits), AT_ONCE)) await start({ notifications: [...piece] });
    },
  };
}

/** Of an object that is too large to be sent along: what all objects have. */
function thin({ body, ...rest }: Notification): Notification {
  const { id, createdDateTime, modificationDateTime, objectType, programID, eventID, clientName, resources } =
    body.object as Record<string, unknown>;
  const object = { id, createdDateTime, modificationDateTime, objectType, programID, eventID, clientName };
  return { ...rest, body: { ...body, object: { ...object, ...(resources === undefined ? {} : { resources: [] }) } } };
}
