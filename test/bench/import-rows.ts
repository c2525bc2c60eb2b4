import { fork } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { SingleFlightBranchKeys } from "../../functions/adapters/branch-keys.ts";
import { documentClient } from "../../functions/adapters/document-client.ts";
import { dynamoImports } from "../../functions/adapters/dynamo-imports.ts";
import { dynamoProfiles } from "../../functions/adapters/dynamo-profiles.ts";
import { enrolmentStores } from "../../functions/adapters/enrol-ports.ts";
import { BRANCH_SHARDS, branchKeyId, secretVault } from "../../functions/adapters/key-vault.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { runImport } from "../../functions/import-rows/run-import.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { assert } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { seeded } from "../../shared/ports/random.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { fakeKeys } from "../fake-keys.ts";
import { type Benchmark, used } from "./benchmark.ts";
import type { FromDynamo } from "./dynamo-process.ts";

const METERS = 2_000;
const WARM = 400;
const COLUMNS =
  "meterId,serial,commodity,profile,systemTitle,host,port,groups,feeder,transformer,transportKey,unicastKey,authenticationKey";
const KEK = new Uint8Array(32).fill(7);
const WRAPPED = toHex(nodeCrypto.wrapKey(KEK, new Uint8Array(16).fill(9)));

const rowOf = (index: number): string =>
  [
    `M-${index}`,
    `S${index}`,
    "electric",
    "generic-eu",
    index.toString(16).padStart(16, "0"),
    `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    "4059",
    index % 10 === 0 ? "town;sample" : "town",
    `F${Math.floor(index / 200)}`,
    `T${Math.floor(index / 20)}`,
    "k",
    WRAPPED,
    WRAPPED,
  ].join(",");
const csvOf = (from: number, count: number): string =>
  `${[COLUMNS, ...Array.from({ length: count }, (_, at) => rowOf(from + at))].join("\n")}\n`;

/** The embedded DynamoDB in a process of its own. */
async function dynamoProcess() {
  const child = fork(fileURLToPath(new URL("./dynamo-process.ts", import.meta.url)), {
    stdio: ["ignore", 2, 2, "ipc"],
  });
  const next = async (): Promise<FromDynamo> => (await once(child, "message"))[0] as FromDynamo;
  const ready = await next();
  assert(ready.kind === "ready", "the first message is the address");
  return {
    endpoint: ready.endpoint,
    async cpuSeconds(): Promise<number> {
      child.send("cpu");
      const told = await next();
      assert(told.kind === "cpu", "what was asked for");
      return told.seconds;
    },
    end: () => child.disconnect(),
  };
}

/** Rows of an import, each a meter with two keys, through the import's own entry point and the real adapters. */
export const importRows: Benchmark = {
  name: "import-rows",
  about: `enrols meters from a CSV against the embedded DynamoDB in a process of its own; --meters N, default ${METERS}`,
  async run(say, { meters = METERS }) {
    const dynamo = await dynamoProcess();
    try {
      const config = {
        endpoint: dynamo.endpoint,
        region: "eu-central-1",
        credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
      };
      const db = documentClient(config);
      for (const profile of PROFILES.values()) await dynamoProfiles(db, "Registry").add(profile);
      const fakes = fakeKeys();
      const branchKeys = new SingleFlightBranchKeys({
        table: "keystore",
        name: "headrace-keys",
        kmsKeyArn: "arn:aws:kms:eu-west-1:000000000000:key/mrk-00000000000000000000000000000001",
        deployment: "headrace",
        dynamo: fakes.dynamo,
        kms: fakes.kms,
        clock: systemClock,
        random: seeded("bench"),
      });
      for (let shard = 0; shard < BRANCH_SHARDS; shard++) await branchKeys.seed(branchKeyId(shard));
      const requests = { count: 0 };
      db.middlewareStack.add(
        (next) => (args) => {
          requests.count++;
          return next(args);
        },
        { step: "finalizeRequest" },
      );
      const imports = dynamoImports(db, "Registry");
      const enrol = {
        ...enrolmentStores(db, { registry: "Registry", access: "Access" }),
        vault: keyVault(secretVault("headrace", branchKeys)),
        meterTime: systemClock,
        clock: systemClock,
      };
      const imported = async (importId: string, csv: string, rows: number): Promise<void> => {
        const zero = { run: 1, octets: 0, lines: 0, rows: 0, enrolled: 0, unchanged: 0, rejected: 0, version: 1 };
        await imports.create({ importId, state: "running", createdAt: systemClock.now(), etag: "etag", ...zero });
        const ports = {
          imports,
          files: {
            uploadUrl: async () => "",
            reportUrl: async () => "",
            uploaded: async () => "etag",
            open: async (_: string, __: string, from: number) => Readable.from([Buffer.from(csv).subarray(from)]),
            putReport: async () => undefined,
          },
          keys: { open: async () => KEK.slice() },
          enrol,
          crypto: nodeCrypto,
          clock: systemClock,
        };
        const end = await runImport(ports, importId, "bench", () => 900_000);
        const state = await imports.read(importId);
        assert(end === "done" && state?.enrolled === rows, `expected ${rows} enrolled, got ${state?.enrolled}`);
      };
      await imported("warm", csvOf(0, WARM), WARM);
      say(`importing ${meters} rows`);
      const csv = csvOf(WARM, meters);
      const before = await dynamo.cpuSeconds();
      requests.count = 0;
      const { cpuSeconds, seconds } = await used(() => imported("measured", csv, meters));
      const asked = requests.count;
      const store = (await dynamo.cpuSeconds()) - before;
      const rounded = (value: number): number => Number(value.toPrecision(3));
      return {
        mix: "a CSV of meters with title, serial, two wrapped keys, two to three sets and a feeder; keys sealed by the Encryption SDK, its KMS in memory; DynamoDB: dynalite in a process of its own",
        figures: [
          { name: "rows", value: meters, unit: "rows" },
          { name: "speed", value: rounded(meters / seconds), unit: "rows/s" },
          { name: "CPU of the function", value: rounded((cpuSeconds / meters) * 1000), unit: "ms/row" },
          { name: "CPU of the embedded DynamoDB", value: rounded((store / meters) * 1000), unit: "ms/row" },
          { name: "requests to DynamoDB", value: rounded(asked / meters), unit: "a row" },
          {
            name: "speed by CPU alone, two cores",
            value: rounded(meters / Math.max(cpuSeconds, store)),
            unit: "rows/s",
          },
        ],
        ratios: {},
      };
    } finally {
      dynamo.end();
    }
  },
};
