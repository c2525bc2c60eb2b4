import { Readable } from "node:stream";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

/** Files of imports: `imports/<importId>/meters.csv` comes up, `imports/<importId>/report.csv` goes down. */
const fileKey = (importId: string): string => `imports/${importId}/meters.csv`;
const reportKey = (importId: string): string => `imports/${importId}/report.csv`;
export const LINK_SECONDS = 3600;

export interface ImportFiles {
  uploadUrl(importId: string): Promise<string>;
  reportUrl(importId: string): Promise<string>;
  /** Which file was uploaded; undefined: none. */
  uploaded(importId: string): Promise<string | undefined>;
  /** From an octet on; undefined: it is another file than `etag`. */
  open(importId: string, etag: string, from: number): Promise<Readable | undefined>;
  putReport(importId: string, csv: string): Promise<void>;
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
const beyondEnd = (error: unknown): boolean => statusOf(error) === 416;
/** 403: for who may not list the bucket, what is absent is forbidden. */
const absent = (error: unknown): boolean => [403, 404].includes(statusOf(error) ?? 0);

export const s3Imports = (s3: S3Client, Bucket: string): ImportFiles => ({
  uploadUrl: (importId) =>
    getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: fileKey(importId) }), { expiresIn: LINK_SECONDS }),
  reportUrl: (importId) =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: reportKey(importId) }), { expiresIn: LINK_SECONDS }),
  async uploaded(importId) {
    try {
      return (await s3.send(new HeadObjectCommand({ Bucket, Key: fileKey(importId) }))).ETag;
    } catch (error) {
      if (absent(error)) return undefined;
      throw error;
    }
  },
  async open(importId, etag, from) {
    try {
      const { Body, ETag } = await s3.send(
        new GetObjectCommand({ Bucket, Key: fileKey(importId), ...(from === 0 ? {} : { Range: `bytes=${from}-` }) }),
      );
      return ETag === etag ? (Body as Readable) : undefined;
    } catch (error) {
      if (beyondEnd(error)) return Readable.from([]);
      if (absent(error)) return undefined;
      throw error;
    }
  },
  async putReport(importId, csv) {
    await s3.send(new PutObjectCommand({ Bucket, Key: reportKey(importId), Body: csv, ContentType: "text/csv" }));
  },
});
