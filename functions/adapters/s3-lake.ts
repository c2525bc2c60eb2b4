import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { LakeObjects, Scratch } from "../../shared/readings/lake-files.ts";

/** Objects of a bucket, to and from files of this machine. One object is one PUT: 5 GB at most. */
export const s3Objects = (
  s3: S3Client,
  Bucket: string,
): LakeObjects & { putText(object: string, text: string): Promise<void> } => ({
  async putText(object, text) {
    await s3.send(new PutObjectCommand({ Bucket, Key: object, Body: text, ContentType: "application/json" }));
  },
  async put(object, file) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    const { size } = await stat(file);
    const Body = createReadStream(file);
    await s3.send(new PutObjectCommand({ Bucket, Key: object, Body, ContentLength: size }));
    return { octets: size, sha256: hash.digest("hex") };
  },
  async get(object, file) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: object }));
    await pipeline(Body as Readable, createWriteStream(file));
  },
  async remove(object) {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: object }));
  },
});

const LINK_SECONDS = 3600;
/** Links to objects, of an hour. */
export const s3Links =
  (s3: S3Client, Bucket: string) =>
  (object: string): Promise<string> =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: object }), { expiresIn: LINK_SECONDS });

/** A folder of its own under the machine's temporary one, removed afterwards. */
export const scratch: Scratch = async (use) => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-"));
  try {
    return await use((name) => join(folder, name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
