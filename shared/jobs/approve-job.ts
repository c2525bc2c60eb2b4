import type { Crypto } from "../ports/crypto.ts";
import { approvalDigest, awaitsApproval } from "./approval.ts";
import { collected } from "./concurrency.ts";
import type { Caller, Job, JobId, JobState } from "./job.ts";
import type { Planner } from "./lanes.ts";
import { type PlanPorts, planJob } from "./plan-job.ts";

export type ApproveOutcome =
  | { readonly kind: "accepted"; readonly jobId: JobId; readonly state: JobState }
  | {
      readonly kind: "refused";
      readonly because:
        | "unknown-job"
        | "not-awaited"
        | "own-job"
        | "not-a-person"
        | "twice"
        | "other-digest"
        | "lapsed";
    };

const refused = (because: Extract<ApproveOutcome, { kind: "refused" }>["because"]): ApproveOutcome => ({
  kind: "refused",
  because,
});

/** Jobs of so many slices are sent on at once; larger ones by the planner. */
const INLINE_SLICES_MAX = 64;

/**
 * A second person's yes to exactly what `digest` binds. When it was the last one that was needed, the job goes. Of two at
 * the same instant one may have to be given again: never is one counted twice. `written`: the audit, before it counts.
 */
export async function approveJob(
  ports: PlanPorts & { readonly planner: Planner; readonly crypto: Crypto },
  jobId: JobId,
  { id, name }: Caller,
  digest: string,
  written: () => Promise<void>,
): Promise<ApproveOutcome> {
  const job = await ports.ledger.job(jobId);
  if (job === undefined) return refused("unknown-job");
  const { approval, approvals = [] } = job;
  if (approval === undefined || !awaitsApproval(job) || job.state !== "planned") return refused("not-awaited");
  if (name === undefined) return refused("not-a-person"); // machines have no name of their own
  if (id === job.caller.id) return refused("own-job");
  if (approvals.some(({ by }) => by.id === id)) return refused("twice");
  const now = ports.clock.now();
  if (now >= approval.lapsesAt || now >= job.deadline) return refused("lapsed");
  if (approvalDigest(ports.crypto, job, await collected(ports.ledger.slicesOf(jobId))) !== digest)
    return refused("other-digest");
  await written();
  const change: Pick<Job, "state" | "approvals"> = {
    state: "planned",
    approvals: [...approvals, { by: { id, name }, at: now, digest }],
  };
  if ((await ports.ledger.moveJob(jobId, "planned", change)) === "conflict") return refused("not-awaited");
  const approved = { ...job, ...change };
  if (awaitsApproval(approved)) return { kind: "accepted", jobId, state: "planned" };
  if ((job.slices ?? Number.POSITIVE_INFINITY) <= INLINE_SLICES_MAX)
    return { kind: "accepted", jobId, state: (await planJob(ports, approved)).state };
  await ports.planner.start(jobId);
  return { kind: "accepted", jobId, state: "planned" };
}
