import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoAuthority } from "../../functions/adapters/dynamo-authority.ts";
import type { LoadedTemplate } from "./load.ts";
import type { StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";

/** The template's own word for the table: the parameter that the state stack writes. */
const AUTHORITY = /\/tables\/authority$/;

/**
 * `--restored`: the tables are an older copy, so that counters above their marks may have been used. Begins the next
 * epoch; every mark then first rises by 2^22 (shared/security/counters.ts). On AWS the runbook does the same.
 */
export async function beginEpoch(template: LoadedTemplate, standIns: StandIns): Promise<number> {
  const parameter = template.ofType("AWS::SSM::Parameter").find((one) => AUTHORITY.test(one.text("Name")));
  if (parameter === undefined) throw new StartupError("--restored: the template tells no authority table");
  const table = parameter.text("Value");
  const { permissions, pseudo } = standIns;
  const role = `arn:${pseudo.partition}:iam::${pseudo.account}:role/local-restore`;
  const Resource = `arn:${pseudo.partition}:dynamodb:${pseudo.region}:${pseudo.account}:table/${table}`;
  permissions.grant(role, {
    Statement: [{ Effect: "Allow", Action: ["dynamodb:GetItem", "dynamodb:UpdateItem"], Resource }],
  });
  const key = permissions.accessKey("local-restore", role);
  const { AWS_ENDPOINT_URL_DYNAMODB: endpoint = "" } = standIns.environmentOf(key);
  const client = new DynamoDBClient({
    region: pseudo.region,
    endpoint,
    credentials: { accessKeyId: key.id, secretAccessKey: key.secret },
  });
  try {
    const authority = dynamoAuthority(DynamoDBDocumentClient.from(client), table);
    const active = await authority.active();
    if (active === undefined)
      throw new StartupError("--restored: the data folder holds no deployment yet; start it without --restored");
    if (!(await authority.beginEpoch(active.epoch, active.region)))
      throw new StartupError("--restored: the epoch changed meanwhile; start again");
    return active.epoch + 1;
  } finally {
    client.destroy();
  }
}
