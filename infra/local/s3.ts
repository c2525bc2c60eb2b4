import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Permissions } from "./permissions.ts";

/** Object and bucket requests of the product, in IAM's words. */
export function s3Action(method: string, key: string, query: URLSearchParams): string {
  if (query.has("uploads") || query.has("uploadId")) return method === "DELETE" ? "AbortMultipartUpload" : "PutObject";
  if (key === "") return method === "GET" ? "ListBucket" : method === "HEAD" ? "ListBucket" : `Bucket${method}`;
  switch (method) {
    case "GET":
    case "HEAD":
      return "GetObject";
    case "PUT":
    case "POST":
      return "PutObject";
    case "DELETE":
      return "DeleteObject";
    default:
      return method;
  }
}

export interface S3Request {
  readonly method: string;
  /** Path-style, as the SDK sends it to an address: `/bucket/key?query`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface S3Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** A presigned URL (SigV4 in the query): whose key it is, or why it does not hold. */
interface Presigned {
  readonly credential: string;
  readonly refusal?: S3Refusal;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Unlike a signed request, a presigned URL passes through strangers' hands: its signature is verified over method,
 * path, query and the signed headers (Signature Version 4, payload UNSIGNED-PAYLOAD), and its time too.
 */
function presigned(request: S3Request, url: URL, secretOf: (id: string) => string | undefined, now: number): Presigned {
  const query = url.searchParams;
  const credential = query.get("X-Amz-Credential") ?? "";
  const [id = "", date = "", region = "", service = ""] = credential.split("/");
  const stamp = query.get("X-Amz-Date") ?? "";
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const denied = (message: string): Presigned => ({
    credential,
    refusal: { status: 403, code: "AccessDenied", message },
  });
  if (Number.isNaN(signedAt)) return denied("X-Amz-Date is not a time");
  if (now > signedAt + Number(query.get("X-Amz-Expires") ?? 0) * 1000) return denied("Request has expired");
  const secret = secretOf(id);
  if (secret === undefined) return denied("The access key is not known");
  const signedHeaders = (query.get("X-Amz-SignedHeaders") ?? "").split(";");
  const canonicalQuery = [...query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  const canonicalHeaders = signedHeaders.map((name) => `${name}:${String(request.headers[name] ?? "").trim()}\n`);
  const canonical = [
    request.method,
    url.pathname,
    canonicalQuery,
    canonicalHeaders.join(""),
    signedHeaders.join(";"),
    query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD",
  ].join("\n");
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), "aws4_request");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(canonical)}`);
  const given = Buffer.from(query.get("X-Amz-Signature") ?? "", "hex");
  if (given.length === expected.length && timingSafeEqual(given, expected)) return { credential };
  return {
    credential,
    refusal: {
      status: 403,
      code: "SignatureDoesNotMatch",
      message: "The signature of the presigned URL does not match",
    },
  };
}

/** Undefined when the request may go on. */
export function refuseS3(permissions: Permissions, request: S3Request, now: number): S3Refusal | undefined {
  const url = new URL(request.url, "http://127.0.0.1");
  let credential = typeof request.headers.authorization === "string" ? request.headers.authorization : undefined;
  if (credential === undefined && url.searchParams.has("X-Amz-Signature")) {
    const asked = presigned(request, url, (id) => permissions.secretOf(id), now);
    if (asked.refusal !== undefined) return asked.refusal;
    credential = asked.credential;
  }
  const principal = permissions.principal(credential);
  if (principal === undefined)
    return { status: 403, code: "InvalidAccessKeyId", message: "The access key is absent or not known" };
  const [bucket = "", ...parts] = url.pathname.slice(1).split("/");
  const key = decodeURIComponent(parts.join("/"));
  const action = `s3:${s3Action(request.method, key, url.searchParams)}`;
  const resource = `arn:aws:s3:::${bucket}${key === "" ? "" : `/${key}`}`;
  if (request.headers["if-none-match"] !== undefined && request.method === "PUT")
    return {
      status: 501,
      code: "NotImplemented",
      message: "conditional writes are not stood up: nothing may rely on them",
    };
  const refusal = permissions.refusal(principal, action, resource);
  return refusal === undefined ? undefined : { status: 403, code: "AccessDenied", message: refusal };
}
