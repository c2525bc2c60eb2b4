import { type ExecFileException, execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { described, resourcesOf, templatesOf } from "../description-fixture.ts";

const BUNDLE = 'console.log("the bridge")';
const ROLE = { AccessKeyId: "AKIDEXAMPLE", SecretAccessKey: "a secret of the task", Token: "a session" };
const sha256 = (data: string): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** AWS Signature Version 4 as the receiver computes it, from what came. */
function signatureOf({ method, url, headers }: IncomingMessage): string {
  const [, scope = "", names = ""] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(headers.authorization ?? "") ?? [];
  const signed = names.split(";").map((name) => `${name}:${headers[name]}\n`);
  const request = [method, url, "", signed.join(""), names, headers["x-amz-content-sha256"]].join("\n");
  const key = scope
    .split("/")
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${ROLE.SecretAccessKey}`);
  return hmac(key, ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(request)].join("\n")).toString("hex");
}

describe("the first container", () => {
  let server: Server;
  let origin: string;
  const [, task] = resourcesOf(templatesOf(described()).bridge, "AWS::ECS::TaskDefinition")[0] ?? [];
  const containers = (task?.Properties.ContainerDefinitions ?? []) as { readonly Command: readonly string[] }[];
  const command = containers[0]?.Command.slice(1) ?? [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/role") return response.end(JSON.stringify(ROLE));
      const right = request.headers.authorization?.endsWith(`Signature=${signatureOf(request)}`);
      return response
        .writeHead(right && request.headers["x-amz-security-token"] === ROLE.Token ? 200 : 403)
        .end(BUNDLE);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const run = (file: string, expected: string): Promise<{ error: ExecFileException | null; stderr: string }> =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [...command],
        {
          env: {
            AWS_REGION: "eu-central-1",
            AWS_ENDPOINT_URL_S3: origin,
            AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/role`,
            BUNDLE_BUCKET: "assets",
            BUNDLE_KEY: "bridge.mjs",
            BUNDLE_SHA256: expected,
            BUNDLE_FILE: file,
          },
        },
        (error, _stdout, stderr) => resolve({ error, stderr }),
      );
    });
  const place = (): string => join(mkdtempSync(join(tmpdir(), "headrace-")), "bridge.mjs");

  it("fetches the bundle with the task's own role", async () => {
    const file = place();
    expect(await run(file, sha256(BUNDLE))).toMatchObject({ error: null });
    expect(readFileSync(file, "utf8")).toBe(BUNDLE);
  });

  it("fails, and writes nothing, when the bundle is not the one that was described", async () => {
    const file = place();
    const { error, stderr } = await run(file, sha256("another"));
    expect(error?.code).toBe(1);
    expect(stderr).toContain(`expected SHA-256 ${sha256("another")}, got ${sha256(BUNDLE)}`);
    expect(() => readFileSync(file)).toThrow("ENOENT");
  });
});
