import { createHash } from "node:crypto";
import type { Node } from "constructs";

export const PROFILES = ["coop", "utility"] as const;
export const NETWORKS = ["public", "fixed", "attached"] as const;
export type Profile = (typeof PROFILES)[number];
export type NetworkKind = (typeof NETWORKS)[number];

/** An existing network that the bridge joins: `network: attached`. */
export interface AttachedNetwork {
  readonly vpcId: string;
  readonly availabilityZones: readonly string[];
  readonly subnetIds: readonly string[];
}

/** What one deployment chooses. Read from CDK context, so `cdk.json`, `-c` and `synth -c` all serve. */
export interface Settings {
  /** Lower-case name of the deployment: begins every physical name. Context `deployment`, default `headrace`. */
  readonly deployment: string;
  /** `coop`: one task, one zone of compute, no load balancer. `utility`: n+1 tasks over three zones behind one. */
  readonly profile: Profile;
  readonly network: NetworkKind;
  readonly attached?: AttachedNetwork;
  /** Context `region`, else the CDK CLI's, else eu-central-1. The account stays open until deployment. */
  readonly region: string;
  readonly availabilityZones: readonly string[];
  /** Client system title of this headend, 16 hex digits: unique to deployment and Region (context `clientSystemTitle`). */
  readonly clientSystemTitle: string;
  /** Concurrent sessions of one bridge task: context `maxSessions`, default 256 (coop) or 1,000 (utility). */
  readonly maxSessions: number;
  /** Host name or address that meters are told to push to, where it is not the load balancer's own name: context `pushHost`. */
  readonly pushHost?: string;
  /** Stock Node 24 image by digest: context `bridgeImage`. */
  readonly bridgeImage: string;
  /** The console's own host name and its certificate (us-east-1), where it has one. */
  readonly consoleDomain?: { readonly name: string; readonly certificateArn: string };
  /** Groups that a fresh deployment begins with, by commas: context `demoGroups`, default `demo`; empty for none. */
  readonly demoGroups: string;
  /**
   * For how many days a timeline keeps entries of each kind (event, command, change), `event=800,command=4000`; 0: not
   * at all; a kind that is not named is kept for good. Context `timelineDays`.
   */
  readonly timelineDays: string;
  /** Day blocks are kept so many days, then the lake alone has their values; 0: for good. Context `blockDays`, default 1100. */
  readonly blockDays: string;
  /** Lake files likewise: context `lakeDays`, default 0. */
  readonly lakeDays: number;
  /** Result batches, the evidence of readings: context `evidenceDays`, default 2200; 0: for good. */
  readonly evidenceDays: number;
  /** Files for an MDM each day: context `dailyExport`, `csv`, `parquet` or `none`. */
  readonly dailyExport: "csv" | "parquet" | "none";
  /** Where webhooks may go: `public`, https to public addresses; `any`, for a deployment on one machine. Context `callbacks`. */
  readonly callbacks: "public" | "any";
  /** A loss of supply that is over within it is a momentary interruption, no outage: context `outageHoldSeconds`, default 60. */
  readonly outageHoldSeconds: string;
  /** Queries over more meters than this ask the fleet files; others the directory, which is newer: context `fleetFilesAbove`, default 20000. */
  readonly fleetFilesAbove: string;
  /** Files of exports: context `exportDays`, default 100. */
  readonly exportDays: number;
  /** Seals of the audit cannot be removed for so many days: context `sealDays`, default 2200, at least 1. */
  readonly sealDays: number;
  /** Context `reservedConcurrency=false` for accounts whose Lambda quota is still 10. */
  readonly reservedConcurrency: boolean;
  /** What native packages are brought for: context `layers`, `arm64` for AWS, `here` for this machine. */
  readonly layers: "arm64" | "here";
}

// node:24-bookworm-slim, the multi-architecture index. Through a pull-through cache: -c bridgeImage=<cache>/node@sha256:…
const NODE_IMAGE = "node@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df";

/** A context value that cannot be used; says which, what was expected and what came. */
export class SettingError extends Error {
  constructor(key: string, expected: string, received: unknown) {
    super(`context ${key}: expected ${expected}, got ${JSON.stringify(received)}`);
    this.name = "SettingError";
  }
}

/** Throws SettingError. */
export function settingsOf(node: Node): Settings {
  const text = (key: string, fallback: string, pattern: RegExp, expected: string): string => {
    const value: unknown = node.tryGetContext(key) ?? fallback;
    if (typeof value !== "string" || !pattern.test(value)) throw new SettingError(key, expected, value);
    return value;
  };
  const choice = <T extends string>(key: string, choices: readonly T[]): T => {
    const value: unknown = node.tryGetContext(key) ?? choices[0];
    const found = choices.find((one) => one === value);
    if (found === undefined) throw new SettingError(key, `one of ${choices.join(", ")}`, value);
    return found;
  };
  const list = (key: string): string[] => {
    const value: unknown = node.tryGetContext(key);
    const items = typeof value === "string" ? value.split(",") : value;
    if (!Array.isArray(items) || items.length === 0 || items.some((item) => typeof item !== "string" || item === ""))
      throw new SettingError(key, "a list of names, or one text with commas", value);
    return items;
  };

  const days = (key: string, fallback: number): number =>
    Number(text(key, String(fallback), /^\d{1,5}$/, "a number of days, 0 for good"));

  const deployment = text("deployment", "headrace", /^[a-z][a-z0-9-]{1,19}$/, "2 to 20 of a-z, 0-9 and '-'");
  const region = text(
    "region",
    process.env.CDK_DEFAULT_REGION ?? "eu-central-1",
    /^[a-z]{2}(-[a-z]+)+-\d$/,
    "a Region",
  );
  const profile = choice("profile", PROFILES);
  const network = choice("network", NETWORKS);
  const zones = node.tryGetContext("availabilityZones") === undefined ? undefined : list("availabilityZones");
  const pushHost = text("pushHost", "", /^(?:[A-Za-z0-9.-]{1,100}|\[[0-9a-fA-F:]+\])?$/, "a host name or an address");
  const domain: unknown = node.tryGetContext("consoleDomain");
  const maxSessions = Number(node.tryGetContext("maxSessions") ?? (profile === "coop" ? 256 : 1000));
  if (!Number.isInteger(maxSessions) || maxSessions < 1)
    throw new SettingError("maxSessions", "a whole number above 0", maxSessions);
  return {
    deployment,
    profile,
    network,
    region,
    availabilityZones: zones ?? ["a", "b", "c"].map((zone) => `${region}${zone}`),
    clientSystemTitle: text(
      "clientSystemTitle",
      titleOf(deployment, region),
      /^[0-9a-fA-F]{16}$/,
      "16 hex digits",
    ).toLowerCase(),
    maxSessions,
    bridgeImage: text("bridgeImage", NODE_IMAGE, /@sha256:[0-9a-f]{64}$/, "an image reference by digest (…@sha256:…)"),
    demoGroups: text("demoGroups", "demo", /^([\w.-]+(,[\w.-]+)*)?$/, "names of groups, by commas"),
    timelineDays: text(
      "timelineDays",
      "event=1100",
      /^((event|command|change)=\d{1,5}(,(event|command|change)=\d{1,5})*)?$/,
      "days by kind, as event=800,command=4000",
    ),
    blockDays: String(days("blockDays", 1100)),
    lakeDays: days("lakeDays", 0),
    sealDays: Math.max(1, days("sealDays", 2200)),
    evidenceDays: days("evidenceDays", 2200),
    dailyExport: choice("dailyExport", ["csv", "parquet", "none"]),
    callbacks: choice("callbacks", ["public", "any"]),
    outageHoldSeconds: text("outageHoldSeconds", "60", /^[1-9]\d{0,2}$/, "seconds, from 1 to 999"),
    fleetFilesAbove: text("fleetFilesAbove", "20000", /^\d{1,7}$/, "a number of meters"),
    exportDays: days("exportDays", 100),
    reservedConcurrency: String(node.tryGetContext("reservedConcurrency") ?? "true") === "true",
    layers: choice("layers", ["arm64", "here"]),
    ...(network === "attached"
      ? {
          attached: {
            vpcId: text(
              "vpcId",
              "",
              /^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/,
              "the id of the existing VPC (network attached needs it)",
            ),
            availabilityZones: list("subnetZones"),
            subnetIds: list("subnetIds"),
          },
        }
      : {}),
    ...(pushHost === "" ? {} : { pushHost }),
    ...(typeof domain === "string" && domain !== ""
      ? {
          consoleDomain: {
            name: domain,
            certificateArn: text(
              "consoleCertificate",
              "",
              /^arn:.+:acm:us-east-1:/,
              "the ARN of a certificate in us-east-1",
            ),
          },
        }
      : {}),
  };
}

/** "HDR" and five octets of a hash: two deployments, or one in two Regions, never share a title. */
const titleOf = (deployment: string, region: string): string =>
  Buffer.from("HDR", "ascii").toString("hex") +
  createHash("sha256").update(`${deployment}/${region}`).digest("hex").slice(0, 10);
