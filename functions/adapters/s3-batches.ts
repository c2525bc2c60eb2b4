import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Batches } from "../../shared/jobs/batches.ts";
import { decodeMessage, encodeMessage, ResultBatch } from "../../shared/jobs/messages.ts";

/** `batches/<job>/<segment>/<batch>.json`: immutable; written again with the same content by a retry. */
const objectKey = (batch: Pick<ResultBatch, "job" | "segment" | "batch">): string =>
  `batches/${batch.job}/${batch.segment}/${encodeURIComponent(batch.batch)}.json`;

/** Result batches as S3 objects: the evidence that day blocks refer to, and the way in of large ones. */
export const s3Batches = (s3: S3Client, Bucket: string): Batches => ({
  async put(batch) {
    const Key = objectKey(batch);
    const Body = encodeMessage(ResultBatch, batch);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: "application/json" }));
    return Key;
  },
  async get(object) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: object }));
      return Body === undefined ? undefined : decodeMessage(ResultBatch, await Body.transformToString());
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  },
});
