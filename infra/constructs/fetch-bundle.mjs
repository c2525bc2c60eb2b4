// Runs by `node -e` in a stock Node image, before the bridge: fetches the bridge's bundle from its bucket with the task's
// role, compares its SHA-256 with the one in the task definition, and puts it into the volume that both containers mount.
import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";

const { BUNDLE_BUCKET, BUNDLE_KEY, BUNDLE_SHA256, BUNDLE_FILE, AWS_REGION } = process.env;
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();

const from =
  process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI ??
  `http://169.254.170.2${process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}`;
const role = await (await fetch(from)).json();
const url = new URL(
  process.env.AWS_ENDPOINT_URL_S3
    ? `${process.env.AWS_ENDPOINT_URL_S3}/${BUNDLE_BUCKET}/${BUNDLE_KEY}`
    : `https://${BUNDLE_BUCKET}.s3.${AWS_REGION}.amazonaws.com/${BUNDLE_KEY}`,
);
const now = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
const scope = `${now.slice(0, 8)}/${AWS_REGION}/s3/aws4_request`;
const headers = {
  host: url.host,
  "x-amz-content-sha256": sha256(""),
  "x-amz-date": now,
  "x-amz-security-token": role.Token,
};
const names = Object.keys(headers).join(";");
const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
const request = `GET\n${url.pathname}\n\n${lines.join("")}\n${names}\n${headers["x-amz-content-sha256"]}`;
const key = scope.split("/").reduce((secret, part) => hmac(secret, part), `AWS4${role.SecretAccessKey}`);
const signature = hmac(key, `AWS4-HMAC-SHA256\n${now}\n${scope}\n${sha256(request)}`).toString("hex");
const authorization = `AWS4-HMAC-SHA256 Credential=${role.AccessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;

const answer = await fetch(url, { headers: { ...headers, authorization }, signal: AbortSignal.timeout(60_000) });
if (!answer.ok) throw new Error(`bundle ${BUNDLE_KEY}: expected 200, got ${answer.status}`);
const bundle = Buffer.from(await answer.arrayBuffer());
if (sha256(bundle) !== BUNDLE_SHA256)
  throw new Error(`bundle ${BUNDLE_KEY}: expected SHA-256 ${BUNDLE_SHA256}, got ${sha256(bundle)}`);
writeFileSync(BUNDLE_FILE, bundle);
