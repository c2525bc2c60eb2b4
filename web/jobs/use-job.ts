import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useApi } from "../api/use-api.ts";
import { type ApiJob, isLive } from "./job-text.ts";

/** A running job is asked for every two seconds, by ETag; a closed one does not change any more. */
const RUNNING_MS = 2000;

export function useJob(jobId: string, known?: ApiJob): UseQueryResult<ApiJob> {
  const api = useApi();
  return useQuery({
    queryKey: ["readJob", jobId],
    queryFn: ({ signal }) => api("readJob", { params: { jobId } }, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && !isLive(state.data) ? false : RUNNING_MS),
    ...(known === undefined ? {} : { placeholderData: known, enabled: isLive(known) || known.progress === undefined }),
  });
}
