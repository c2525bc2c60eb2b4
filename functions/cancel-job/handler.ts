import { toldLedger } from "../../shared/events/tell-jobs.ts";
import { cancelJob } from "../../shared/jobs/cancel-job.ts";
import { maySee } from "../../shared/security/ownership.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { tellerOfEnvironment } from "../adapters/event-teller.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting });
const ledger = dynamoLedger(documentClient(), env.LEDGER_TABLE, systemClock.now);
const ports = { ledger: toldLedger(ledger, tellerOfEnvironment()), clock: systemClock };

export const handler = httpHandler({
  async cancelJob({ params: { jobId }, body, caller }) {
    const job = await ports.ledger.job(jobId);
    const outcome =
      job !== undefined && maySee(caller, job.caller.id)
        ? await cancelJob(ports, jobId, { by: caller, reason: body?.reason })
        : ({ kind: "refused", because: "unknown-job" } as const);
    if (outcome.kind === "accepted") return { status: 202, body: { jobId: outcome.jobId, state: outcome.state } };
    const expected = "a job that is not closed";
    return outcome.because === "unknown-job"
      ? refuse("not-found", `There is no job ${jobId}.`, { field: "jobId", expected, received: jobId })
      : refuse("conflict", `Job ${jobId} is closed.`, { field: "jobId", expected, received: "a closed job" });
  },
});
