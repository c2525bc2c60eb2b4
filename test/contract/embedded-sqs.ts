import type { AddressInfo } from "node:net";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";

export interface EmbeddedSqs {
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  queue(name: string): Promise<string>;
  bucket(name: string): Promise<string>;
  close(): Promise<void>;
}

/** SQS and S3 in this process, in memory. */
export async function embeddedSqs(): Promise<EmbeddedSqs> {
  const app = buildApp({ logger: false });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const config = {
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  const sqs = new SQSClient({ ...config, useQueueUrlAsEndpoint: false });
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  return {
    sqs,
    s3,
    async queue(QueueName) {
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
      if (QueueUrl === undefined) throw new Error(`no URL for queue ${QueueName}`);
      return QueueUrl;
    },
    async bucket(Bucket) {
      await s3.send(new CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    async close() {
      sqs.destroy();
      s3.destroy();
      await app.close();
    },
  };
}
