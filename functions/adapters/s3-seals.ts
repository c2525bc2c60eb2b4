import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { AuditSeal, type SealStore } from "../../shared/security/audit-seal.ts";

/** Seals, `seals/<instant>.json` each, and the newest once more where it is found. The bucket lets no version be removed. */
const LATEST = "seals/latest.json";
const keyOf = ({ at }: AuditSeal): string => `seals/${new Date(at).toISOString()}.json`;

export function s3Seals(s3: S3Client, Bucket: string): SealStore {
  const put = (Key: string, Body: string) =>
    // A bucket with object lock takes nothing without a checksum.
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: "application/json", ChecksumAlgorithm: "SHA256" }));
  return {
    async last() {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: LATEST }));
        return AuditSeal.parse(JSON.parse((await Body?.transformToString()) ?? ""));
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        // Who may not list a bucket is told so of an object that is not there.
        if (error instanceof S3ServiceException && error.name === "AccessDenied") return undefined;
        throw error;
      }
    },
    async put(seal) {
      const text = JSON.stringify(seal);
      await put(keyOf(seal), text);
      await put(LATEST, text);
    },
  };
}
