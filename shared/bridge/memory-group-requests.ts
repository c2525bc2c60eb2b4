import type { GroupRequests, SentGroupRequest } from "../jobs/group-request.ts";
import type { JobId } from "../jobs/job.ts";
import { type GroupMark, groupIdFrom } from "../security/group-ids.ts";

/** Group requests in memory, for simulation and tests; each call is one atomic step. */
export function memoryGroupRequests(): GroupRequests {
  let mark: GroupMark | undefined;
  const byId = new Map<number, SentGroupRequest>();
  const ofJob = new Map<JobId, number>();
  const requestOf = (jobId: JobId): SentGroupRequest | undefined => {
    const id = ofJob.get(jobId);
    return id === undefined ? undefined : byId.get(id);
  };
  return {
    ofJob: async (jobId) => requestOf(jobId),
    byInvocationId: async (invocationId) => {
      const request = byId.get(invocationId);
      return request === undefined || ofJob.get(request.jobId) !== invocationId ? undefined : request;
    },
    async keep(request) {
      const there = requestOf(request.jobId);
      if (there !== undefined) return there;
      byId.set(request.invocationId, request);
      ofJob.set(request.jobId, request.invocationId);
      return request;
    },
    async draw(epoch, now) {
      const { next, ...drawn } = groupIdFrom(mark, epoch, now);
      mark = next;
      return drawn;
    },
  };
}
