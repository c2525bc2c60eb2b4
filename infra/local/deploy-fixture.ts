import { createHash } from "node:crypto";
import type { Json, TemplateResource } from "./assembly.ts";

/** A small system: an HTTP route that takes an order, a queue, a function that stores it, a task, a console. */
export const FUNCTION = `
const call = async (service, target, body) => {
  const answer = await fetch(process.env["AWS_ENDPOINT_URL_" + service], {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": target,
      "x-amz-date": "20260101T000000Z",
      authorization: "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20260101/eu-central-1/x/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text === "" ? {} : JSON.parse(text);
};
const db = (operation, body) => call("DYNAMODB", "DynamoDB_20120810." + operation, { TableName: process.env.TABLE, ...body });
export const order = async (event) => {
  await call("SQS", "AmazonSQS.SendMessage", { QueueUrl: process.env.QUEUE_URL, MessageBody: event.body });
  return { statusCode: 202, body: JSON.stringify({ by: event.requestContext.authorizer.jwt.claims.client_id }) };
};
export const store = async (event) => {
  for (const { body } of event.Records) await db("PutItem", { Item: { pk: { S: body } } });
  return { batchItemFailures: [] };
};
export const read = async (event) => ({ statusCode: 200, body: JSON.stringify(await db("GetItem", { Key: { pk: { S: event.pathParameters.id } } })) });
export const native = async () => {
  const { createRequire } = await import("node:module");
  try {
    return { statusCode: 200, body: JSON.stringify({ said: createRequire(import.meta.url)("native-thing") }) };
  } catch ({ code }) {
    return { statusCode: 200, body: JSON.stringify({ code }) };
  }
};
export const tick = async () => db("PutItem", { Item: { pk: { S: "ticked" } } });
`;
export const TASK = `
import { createServer } from "node:http";
import { createServer as listen } from "node:net";
listen((socket) => socket.end(String(process.pid))).listen(Number(process.env.FIELD_PORT), "127.0.0.1");
createServer((_, answer) => answer.end("ok")).listen(Number(process.env.HEALTH_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

export type Resources = Record<string, TemplateResource>;
export const att = (logicalId: string, name = "Arn"): Json => ({ "Fn::GetAtt": [logicalId, name] });
export const ref = (name: string): Json => ({ Ref: name });

export function grants(role: string, statements: readonly (readonly [string[], Json])[]): Resources {
  const PolicyDocument = { Statement: statements.map(([Action, Resource]) => ({ Effect: "Allow", Action, Resource })) };
  return {
    [role]: { Type: "AWS::IAM::Role" },
    [`${role}Policy`]: { Type: "AWS::IAM::Policy", Properties: { PolicyDocument, Roles: [ref(role)] } },
  };
}
export const lambda = (name: string, role: string): TemplateResource => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    Code: { S3Bucket: "assets", S3Key: "code.zip" },
    Handler: `index.${name}`,
    Runtime: "nodejs24.x",
    Role: att(role),
    Timeout: 10,
    Environment: { Variables: { TABLE: ref("Table"), QUEUE_URL: ref("Queue") } },
  },
});
export const route = (RouteKey: string, integration: string): TemplateResource => ({
  Type: "AWS::ApiGatewayV2::Route",
  Properties: {
    ApiId: ref("Api"),
    RouteKey,
    AuthorizationType: "JWT",
    AuthorizerId: ref("Authorizer"),
    Target: { "Fn::Join": ["/", ["integrations", ref(integration)]] },
  },
});

export const SERVICE: Resources = {
  Table: {
    Type: "AWS::DynamoDB::GlobalTable",
    Properties: {
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    },
  },
  Parked: { Type: "AWS::SQS::Queue" },
  Queue: {
    Type: "AWS::SQS::Queue",
    Properties: {
      QueueName: "orders",
      VisibilityTimeout: 1,
      RedrivePolicy: { deadLetterTargetArn: att("Parked"), maxReceiveCount: 2 },
    },
  },
  ...grants("OrderRole", [[["sqs:SendMessage"], att("Queue")]]),
  ...grants("StoreRole", [
    [["dynamodb:PutItem", "dynamodb:GetItem"], att("Table")],
    [["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], att("Queue")],
  ]),
  ...grants("TickRole", [[["lambda:InvokeFunction"], att("Tick")]]),
  ...grants("TaskRole", []),
  Order: lambda("order", "OrderRole"),
  Store: lambda("store", "StoreRole"),
  Read: lambda("read", "StoreRole"),
  Tick: lambda("tick", "StoreRole"),
  Mapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      EventSourceArn: att("Queue"),
      FunctionName: ref("Store"),
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    },
  },
  Schedule: {
    Type: "AWS::Scheduler::Schedule",
    Properties: { ScheduleExpression: "rate(1 minute)", Target: { Arn: att("Tick"), RoleArn: att("TickRole") } },
  },
  Pool: { Type: "AWS::Cognito::UserPool" },
  Group: { Type: "AWS::Cognito::UserPoolGroup", Properties: { GroupName: "operator" } },
  Client: {
    Type: "AWS::Cognito::UserPoolClient",
    Properties: {
      ClientName: "operator",
      AllowedOAuthFlows: ["client_credentials"],
      AllowedOAuthScopes: ["headrace/operator"],
    },
  },
  Api: { Type: "AWS::ApiGatewayV2::Api" },
  Authorizer: {
    Type: "AWS::ApiGatewayV2::Authorizer",
    Properties: { JwtConfiguration: { Issuer: att("Pool", "ProviderURL"), Audience: [ref("Client")] } },
  },
  OrderIntegration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: att("Order") } },
  ReadIntegration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: att("Read") } },
  OrderRoute: route("POST /orders", "OrderIntegration"),
  ReadRoute: route("GET /orders/{id}", "ReadIntegration"),
  Files: { Type: "AWS::S3::Bucket" },
  Site: {
    Type: "Custom::CDKBucketDeployment",
    Properties: {
      ServiceToken: "provider",
      SourceObjectKeys: ["site.zip"],
      SourceMarkers: [{ "<<issuer>>": att("Pool", "ProviderURL") }],
      DestinationBucketName: ref("Files"),
    },
  },
  Edge: {
    Type: "AWS::CloudFront::Function",
    Properties: {
      FunctionCode: `function handler(event) { event.request.uri = event.request.uri.replace(/^\\/api/, ""); return event.request; }`,
    },
  },
  Headers: {
    Type: "AWS::CloudFront::ResponseHeadersPolicy",
    Properties: {
      ResponseHeadersPolicyConfig: {
        SecurityHeadersConfig: {
          ContentSecurityPolicy: {
            ContentSecurityPolicy: { "Fn::Join": ["", ["connect-src ", att("Pool", "ProviderURL")]] },
          },
        },
      },
    },
  },
  Distribution: {
    Type: "AWS::CloudFront::Distribution",
    Properties: {
      DistributionConfig: {
        DefaultRootObject: "index.html",
        DefaultCacheBehavior: { TargetOriginId: "files", ResponseHeadersPolicyId: ref("Headers") },
        CacheBehaviors: [
          {
            PathPattern: "/api/*",
            TargetOriginId: "api",
            FunctionAssociations: [{ EventType: "viewer-request", FunctionARN: att("Edge", "FunctionARN") }],
          },
        ],
        Origins: [
          { Id: "files", DomainName: att("Files", "RegionalDomainName") },
          { Id: "api", DomainName: { "Fn::Select": [2, { "Fn::Split": ["/", att("Api", "ApiEndpoint")] }] } },
        ],
      },
    },
  },
  Task: {
    Type: "AWS::ECS::TaskDefinition",
    Properties: {
      TaskRoleArn: att("TaskRole"),
      ContainerDefinitions: [
        {
          Name: "fetch",
          Essential: false,
          Environment: [
            { Name: "BUNDLE_KEY", Value: "task.mjs" },
            { Name: "BUNDLE_FILE", Value: "/bundle/task.mjs" },
            { Name: "BUNDLE_SHA256", Value: createHash("sha256").update(TASK).digest("hex") },
          ],
        },
        {
          Name: "bridge",
          Command: ["node", "--max-old-space-size=128", "/bundle/task.mjs"],
          Environment: [
            { Name: "HEALTH_PORT", Value: "8080" },
            { Name: "FIELD_PORT", Value: "4059" },
          ],
          PortMappings: [{ ContainerPort: 8080 }, { ContainerPort: 4059 }],
          StopTimeout: 5,
        },
      ],
    },
  },
  Service: { Type: "AWS::ECS::Service", Properties: { TaskDefinition: ref("Task"), DesiredCount: 2 } },
};
