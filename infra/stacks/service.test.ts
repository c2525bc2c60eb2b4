import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import type { ApiRoute } from "../../shared/api/route.ts";
import { routes } from "../../shared/api/routes.ts";
import { described, resourcesOf, templatesOf } from "../description-fixture.ts";
import { FUNCTIONS } from "../functions.ts";
import { LANES, QUEUES } from "../resources.ts";

const { service, api } = templatesOf(described());
const queues = resourcesOf(service, "AWS::SQS::Queue");
const both = (type: string) => [service, api].flatMap((template) => resourcesOf(template, type));
const functions = both("AWS::Lambda::Function");

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
/** What one function's role allows, as pairs of action and resource. */
function grantsOf(name: string): readonly (readonly [string, string])[] {
  const id = name.replaceAll("-", "");
  const [, policy] = both("AWS::IAM::Policy").find(([logical]) => logical.startsWith(`${id}Grants`)) ?? [];
  const document = policy?.Properties.PolicyDocument as { readonly Statement: readonly Statement[] };
  return document.Statement.flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) => [Resource].flat().map((resource) => [action, JSON.stringify(resource)] as const)),
  );
}

describe("service stack: queues", () => {
  it("has a queue a lane and one of results, each with its dead letters after ten receives", () => {
    expect(queues).toHaveLength(2 * QUEUES.length);
    for (const name of QUEUES)
      service.hasResourceProperties("AWS::SQS::Queue", {
        QueueName: `headrace-${name}`,
        RedrivePolicy: { maxReceiveCount: 10, deadLetterTargetArn: Match.anyValue() },
        SqsManagedSseEnabled: true,
      });
  });

  it("keeps parked messages for 14 days and says that there are some", () => {
    for (const name of QUEUES)
      service.hasResourceProperties("AWS::SQS::Queue", {
        QueueName: `headrace-${name}-parked`,
        MessageRetentionPeriod: 1_209_600,
      });
    const alarms = resourcesOf(service, "AWS::CloudWatch::Alarm").filter(
      ([, { Properties }]) => Properties.AlarmDescription === "docs/runbook.md#parked-messages",
    );
    expect(alarms).toHaveLength(QUEUES.length);
  });

  it("hides a lane's message for the minute of a lease, a function's for six times its time-out", () => {
    for (const lane of LANES)
      service.hasResourceProperties("AWS::SQS::Queue", { QueueName: `headrace-${lane}`, VisibilityTimeout: 60 });
    for (const { trigger, timeoutSeconds } of Object.values(FUNCTIONS))
      if (trigger.kind === "queue")
        service.hasResourceProperties("AWS::SQS::Queue", {
          QueueName: `headrace-${trigger.queue}`,
          VisibilityTimeout: 6 * timeoutSeconds,
        });
  });

  it("has no FIFO queue", () => {
    for (const [, { Properties }] of queues) expect(Properties).not.toHaveProperty("FifoQueue");
  });
});

describe("service and api stack: functions", () => {
  it("runs every function of the table on Node 24 on arm64 with a log group of its own", () => {
    expect(functions.map(([, { Properties }]) => Properties.FunctionName).sort()).toEqual(
      Object.keys(FUNCTIONS)
        .map((name) => `headrace-${name}`)
        .sort(),
    );
    for (const [, { Properties }] of functions)
      expect(Properties).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        LoggingConfig: { LogGroup: {} },
      });
    const logs = both("AWS::Logs::LogGroup");
    expect(logs).toHaveLength(functions.length);
    for (const [, { Properties }] of logs) expect(Properties.RetentionInDays).toBe(90);
  });

  it("lets no role do anything everywhere, nor scan, nor delete a table", () => {
    for (const name of Object.keys(FUNCTIONS))
      for (const [action, resource] of grantsOf(name)) {
        expect([name, action, resource]).not.toEqual([name, action, '"*"']);
        expect(action).not.toMatch(/\*|Scan|DeleteTable/);
      }
  });

  it("lets only who seals or opens meter keys use the key", () => {
    const users = Object.keys(FUNCTIONS).filter((name) => grantsOf(name).some(([action]) => action === "kms:Decrypt"));
    expect(users.sort()).toEqual(
      Object.entries(FUNCTIONS)
        .filter(([, { keys }]) => keys !== undefined)
        .map(([name]) => name)
        .sort(),
    );
  });

  it("tells a function the names of what it may touch and no others", () => {
    const variables = (name: string): string[] => {
      const [, resource] = functions.find(([, { Properties }]) => Properties.FunctionName === `headrace-${name}`) ?? [];
      const environment = resource?.Properties.Environment as { readonly Variables: object } | undefined;
      return Object.keys(environment?.Variables ?? {});
    };
    expect(variables("describe-api")).toEqual(["DEPLOYMENT"]);
    expect(variables("read-readings").sort()).toEqual(["DEPLOYMENT", "READINGS_TABLE", "REGISTRY_TABLE"]);
    expect(variables("enrol-meter")).toEqual(
      expect.arrayContaining(["KMS_KEY_ARN", "KEYSTORE_NAME", "KEYSTORE_TABLE"]),
    );
  });

  it("reads results in batches of ten with partial answers and a bound on how many run", () =>
    service.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      BatchSize: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: 20 },
    }));

  it("can leave reserved concurrency out, for accounts that have none to give", () => {
    const { service: modest, api: modestApi } = templatesOf(described({ reservedConcurrency: "false" }));
    for (const [, { Properties }] of [modest, modestApi].flatMap((one) => resourcesOf(one, "AWS::Lambda::Function")))
      expect(Properties).not.toHaveProperty("ReservedConcurrentExecutions");
  });
});

describe("service stack: tick", () => {
  it("is the only schedule: each minute, told its scheduled time", () => {
    service.resourceCountIs("AWS::Scheduler::Schedule", 1);
    service.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}' },
    });
  });

  it("raises an alarm when it stays away", () =>
    service.hasResourceProperties("AWS::CloudWatch::Alarm", {
      AlarmDescription: "docs/runbook.md#tick-missing",
      TreatMissingData: "breaching",
    }));
});

describe("api stack: routes", () => {
  const keyOf = ({ method, path, behind }: ApiRoute) => (behind === undefined ? `${method} ${path}` : `ANY ${behind}`);
  const all: readonly ApiRoute[] = Object.values(routes);

  it.each(all)("$method $path asks for a token unless it is public", (route) =>
    api.hasResourceProperties("AWS::ApiGatewayV2::Route", {
      RouteKey: keyOf(route),
      AuthorizationType: route.roles === "public" ? "NONE" : "JWT",
    }),
  );

  it("has no other route", () => api.resourceCountIs("AWS::ApiGatewayV2::Route", new Set(all.map(keyOf)).size));

  it("takes the tokens of the deployment's pool only", () =>
    api.hasResourceProperties("AWS::ApiGatewayV2::Authorizer", {
      AuthorizerType: "JWT",
      JwtConfiguration: {
        Issuer: { "Fn::Join": ["", ["https://cognito-idp.eu-central-1.amazonaws.com/", { Ref: "Asksuserspool" }]] },
        Audience: Match.arrayWith([{ Ref: "Asksusersclientsconsole" }, { Ref: "Asksusersclientsoperator" }]),
      },
    }));

  it("names a function of the table for every route, and a route for every function that answers one", () => {
    const answering = Object.entries(FUNCTIONS).filter(([, { trigger }]) => trigger.kind === "http");
    expect([...new Set(Object.values(routes).map((route) => route.function))].sort()).toEqual(
      answering.map(([name]) => name).sort(),
    );
  });
});
