import { IoTDataPlaneClient } from "@aws-sdk/client-iot-data-plane";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";

/** Clients take endpoint, Region and credentials from the environment alone. */

/** The queue's URL names the queue, not where the API is. */
export const sqsClient = (): SQSClient => new SQSClient({ useQueueUrlAsEndpoint: false });

/** Checksums only where S3 asks for them: one in a presigned URL would be that of no octets. */
export const s3Client = (): S3Client =>
  new S3Client({ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" });

/** Without an endpoint of its own it finds the account's by the Region: `data-ats.iot.<region>`. */
export const iotDataClient = (): IoTDataPlaneClient => new IoTDataPlaneClient({});

export const lambdaClient = (): LambdaClient => new LambdaClient({});
