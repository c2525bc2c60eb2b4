import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { type Batches, batchObject, batchReference } from "../../shared/jobs/batches.ts";
import { encodeMessage, ResultBatch } from "../../shared/jobs/messages.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";

/** Result batches as S3 objects: the evidence that day blocks refer to, and the way in of large ones. */
export function s3Batches(s3: S3Client, Bucket: string): Batches {
  const putText: Batches["putText"] = async (name, text) => {
    const Key = batchObject(batchReference(nodeCrypto, name));
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ContentType: "application/json" }));
    return Key;
  };
  return {
    put: (batch) => putText(batch, encodeMessage(ResultBatch, batch)),
    putText,
    async get(object) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: object }));
        return await Body?.transformToString();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        // Who may not list a bucket is told so of an object that is not there.
        if (error instanceof S3ServiceException && error.name === "AccessDenied") return undefined;
        throw error;
      }
    },
  };
}
