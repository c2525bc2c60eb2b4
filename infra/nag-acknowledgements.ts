import { type App, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import type { Settings } from "./settings.ts";

/** A finding that is accepted: where (a construct's path), which, why. */
type Acknowledgement = readonly [at: string, id: string, reason: string];

const DOOR = "Headrace-Console/FrontDoor";
const UPLOADER = "Headrace-Console/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C";
const objects = (bucket: string): string => `IAM5[Resource::arn:aws:s3:::<Asksbuckets${bucket}>/*]`;

const acknowledgements = ({ region, deployment }: Settings): readonly Acknowledgement[] => [
  [
    "Headrace-State/Directory",
    "COG8",
    "The Plus tier is priced a person; a second factor is required of everyone instead",
  ],
  [
    `${DOOR}/Files`,
    "S1",
    "Public files of the repository, read by the distribution alone; who calls the API is in its own log",
  ],
  [
    `${DOOR}/Distribution`,
    "CFR1",
    "Crews roam and utilities differ; a deployment that wants geo restrictions sets them",
  ],
  [
    `${DOOR}/Distribution`,
    "CFR2",
    "A web ACL is the utility's choice and cost; every route but the API's description needs a token",
  ],
  [`${DOOR}/Distribution`, "CFR3", "API calls are logged by the API; the rest are static files"],
  [`${DOOR}/Distribution`, "CFR4", "Only with CloudFront's own certificate; with consoleDomain TLS 1.2 is the minimum"],
  [
    UPLOADER,
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
    "CDK's own deployment function: logs only",
  ],
  [UPLOADER, "IAM5[Action::s3:GetBucket*]", "CDK's own deployment function: reads the assets bucket"],
  [UPLOADER, "IAM5[Action::s3:GetObject*]", "CDK's own deployment function: reads the assets bucket"],
  [UPLOADER, "IAM5[Action::s3:List*]", "CDK's own deployment function: compares what is there"],
  [UPLOADER, "IAM5[Action::s3:Abort*]", "CDK's own deployment function: writes the console's bucket"],
  [UPLOADER, "IAM5[Action::s3:DeleteObject*]", "CDK's own deployment function: removes files of the last version"],
  [
    UPLOADER,
    `IAM5[Resource::arn:aws:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-${region}/*]`,
    "CDK's own deployment function: objects of the assets bucket",
  ],
  [
    UPLOADER,
    "IAM5[Resource::<FrontDoorFiles8B870D5A.Arn>/*]",
    "CDK's own deployment function: objects of the console's bucket",
  ],
  [
    UPLOADER,
    "IAM5[Resource::*]",
    "CDK's own deployment function: invalidates the distribution; CloudFront knows no narrower resource there",
  ],
  [UPLOADER, "L1", "CDK's own deployment function comes with the library"],
  ["Headrace-Api/import-meters", objects("imports"), "Objects of one bucket: uploads and reports"],
  ["Headrace-Service/import-rows", objects("imports"), "Objects of one bucket: uploads and reports"],
  ["Headrace-Service/ingest-results", objects("evidence"), "Objects of one bucket: result batches"],
  ["Headrace-Service/export-lake", objects("lake"), "Objects of one bucket: files of the lake"],
  ["Headrace-Service/index-fleet", objects("lake"), "Objects of one bucket: fleet files"],
  ["Headrace-Service/plan-job", objects("lake"), "Objects of one bucket: fleet files"],
  ["Headrace-Api/manage-queries", objects("lake"), "Objects of one bucket: fleet files"],
  ["Headrace-Service/seal-audit", objects("seals"), "A seal of each minute, named by its time"],
  ["Headrace-Api/read-audit", objects("seals"), "The newest seal, and older ones if need be"],
  ["Headrace-Api/manage-exports", objects("exports"), "Objects of one bucket: links to files of exports"],
  ["Headrace-Service/write-export", objects("lake"), "Objects of one bucket: files of the lake"],
  ["Headrace-Service/write-export", objects("exports"), "Objects of one bucket: files of exports"],
  ["Headrace-Bridge/Tasks/Grants", objects("evidence"), "Objects of one bucket: result batches"],
  [
    "Headrace-Bridge/Tasks/Grants",
    `IAM5[Resource::arn:aws:iot:${region}:<AWS::AccountId>:topic/${deployment}/*/mailbox]`,
    "Mailboxes of this deployment's endpoints: one topic each",
  ],
  [
    "Headrace-Service",
    "IAM5[Resource::<tickFunction7E81CED2.Arn>:*]",
    "The schedule's role: versions of the one tick function",
  ],
  ["Headrace-Api/Routes/GET --openapi.json", "APIG4", "The API's description is public"],
  [
    "Headrace-Bridge/Network",
    "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
    "Attached: the routes of an existing network are its owner's",
  ],
  [
    "Headrace-Bridge/Network",
    "VPC7",
    "Flow logs of thousands of sessions a minute cost more than the task; sessions are logged by the bridge",
  ],
  [
    "Headrace-Bridge/Tasks/Cluster",
    "ECS4",
    "Container Insights costs more than a co-op's task; the bridge writes its own metrics",
  ],
  ["Headrace-Bridge/Tasks/Task", "ECS2", "Names and numbers only: no secret is in the environment"],
  [
    "Headrace-Bridge/Gate/Group",
    "EC23",
    "Meters call from anywhere; they are known by title and keys, never by address",
  ],
  ["Headrace-Bridge/Gate/Balancer", "ELB2", "A network balancer logs TLS listeners only; it has none"],
];

/** What a profile does not have is skipped. */
export function acknowledge(app: App, settings: Settings): void {
  const constructs = new Map<string, IConstruct>(app.node.findAll().map((one) => [one.node.path, one]));
  for (const [at, id, reason] of acknowledgements(settings)) {
    const construct = constructs.get(at);
    if (construct !== undefined)
      Validations.of(construct).acknowledge({ id: id.startsWith("Annotation::") ? id : `AwsSolutions-${id}`, reason });
  }
}
