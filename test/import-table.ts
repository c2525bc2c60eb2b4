/** What each folder may know: section 3 of the design, as data. The first row whose folder holds a file counts. */
export interface Layer {
  readonly folder: string;
  /** Folders of this repository besides its own. */
  readonly knows: readonly string[];
  /** Packages: a name, a scope with `/`, or `node:` for all of Node's own. */
  readonly packages: readonly string[];
}

const PROTOCOLS = ["shared/dlms", "shared/c1219", "shared/c1222"];
/** In this order: each may know those before it. */
const CAPABILITIES = [
  "security",
  "registry",
  "readings",
  "events",
  "switching",
  "prepayment",
  "pricing",
  "programs",
  "outage",
  "demand",
  "queries",
  "kpi",
  "integration",
].map((name) => `shared/${name}`);
/** Below jobs, which keep the filter that they are about. */
const QUERY_LANGUAGE = "shared/queries/language";
const PORTS = "shared/ports";
const POWERTOOLS = "@aws-lambda-powertools/";
/** Types alone: nothing of it is in a bundle. */
const TYPES_OF_EVENTS = "aws-lambda";
const CDK = ["aws-cdk-lib", "constructs", "cdk-nag"];
const BUILD_TOOLS = ["esbuild", "vite"];

export const LAYERS: readonly Layer[] = [
  { folder: "shared/ports/node-crypto.ts", knows: [PORTS], packages: ["node:crypto"] },
  { folder: PORTS, knows: [], packages: [] },
  { folder: "shared/wire", knows: [PORTS], packages: [] },
  { folder: "shared/metering", knows: [PORTS], packages: ["zod"] },
  { folder: "shared/c1222", knows: [PORTS, "shared/wire", "shared/metering", "shared/c1219"], packages: [] },
  { folder: "shared/dlms", knows: [PORTS, "shared/wire", "shared/metering"], packages: [] },
  { folder: "shared/c1219", knows: [PORTS, "shared/wire", "shared/metering"], packages: [] },
  { folder: QUERY_LANGUAGE, knows: [PORTS, "shared/metering"], packages: ["zod"] },
  { folder: "shared/jobs", knows: [PORTS, "shared/metering", QUERY_LANGUAGE], packages: ["zod", "croner"] },
  ...CAPABILITIES.map((folder, place) => ({
    folder,
    knows: [PORTS, "shared/metering", QUERY_LANGUAGE, "shared/jobs", ...CAPABILITIES.slice(0, place)],
    packages: ["zod"],
  })),
  {
    folder: "shared/bridge",
    knows: [PORTS, "shared/wire", "shared/metering", ...PROTOCOLS, "shared/jobs", ...CAPABILITIES],
    packages: ["zod"],
  },
  { folder: "shared/simulator", knows: [PORTS, "shared/wire", "shared/metering", ...PROTOCOLS], packages: [] },
  { folder: "shared/api", knows: [PORTS, "shared/metering", "shared/jobs", ...CAPABILITIES], packages: ["zod"] },
  {
    folder: "functions/adapters",
    knows: ["shared"],
    packages: [
      "node:",
      "zod",
      "@aws-sdk/",
      "@aws-crypto/",
      "@smithy/",
      "@duckdb/",
      "@middy/",
      POWERTOOLS,
      "csv-parse",
      TYPES_OF_EVENTS,
    ],
  },
  { folder: "functions/bridge", knows: ["shared", "functions/adapters"], packages: ["node:", "zod", POWERTOOLS] },
  { folder: "functions/discover", knows: ["shared", "functions/adapters", "functions/bridge"], packages: ["node:"] },
  {
    folder: "functions",
    knows: ["shared", "functions/adapters"],
    packages: ["node:", "zod", "@middy/", POWERTOOLS, TYPES_OF_EVENTS],
  },
  {
    folder: "infra/local",
    knows: [
      "infra",
      "shared/ports",
      "shared/wire",
      "shared/metering",
      "shared/api",
      "shared/simulator",
      "shared/security",
      "functions/adapters",
    ],
    packages: [
      "node:",
      "zod",
      "dynalite",
      "fauxqs",
      "aedes",
      "mqtt",
      "oidc-provider",
      "jose",
      "@aws-sdk/",
      "@smithy/",
      ...CDK,
    ],
  },
  { folder: "infra", knows: ["shared/api", "shared/metering"], packages: ["node:", ...CDK, ...BUILD_TOOLS] },
  {
    folder: "web",
    knows: ["shared/api"],
    packages: ["react", "react-dom", "@tanstack/", "uplot", "oidc-client-ts", ...BUILD_TOOLS, "@vitejs/"],
  },
];

/** What tests beside the code may import as well. */
export const PACKAGES_OF_TESTS: readonly string[] = ["node:", "vitest", "fast-check"];

export const layerOf = (file: string): Layer | undefined =>
  LAYERS.find(({ folder }) => file === folder || file.startsWith(`${folder}/`));

const within = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`));

/** True when a package is on a list of them. */
export const allowsPackage = (list: readonly string[], name: string): boolean =>
  list.some((one) =>
    one.endsWith("/") || one.endsWith(":") ? name.startsWith(one) : name === one || name.startsWith(`${one}/`),
  );

/** `target`: a path from the repository's root. */
export const allowsPath = ({ folder, knows }: Layer, target: string): boolean =>
  within(target, [folder.endsWith(".ts") ? folder.slice(0, folder.lastIndexOf("/")) : folder, ...knows]);
