import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import type { ApiSchedule } from "./schedule-text.ts";

/** Pauses a schedule, or resumes it. Whose schedule one may switch is the headend's to say. */
export function SwitchSchedule({ schedule }: { readonly schedule: ApiSchedule }) {
  const api = useApi();
  const queries = useQueryClient();
  const enabled = schedule.enabled ?? true;
  const turn = useMutation({
    mutationFn: () =>
      api(enabled ? "pauseSchedule" : "resumeSchedule", { params: { scheduleId: schedule.scheduleId } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["listSchedules"] }),
  });
  if (turn.isError) return <ProblemView error={turn.error} retry={() => turn.reset()} />;
  return (
    <button type="button" disabled={turn.isPending} onClick={() => turn.mutate()}>
      {enabled ? "Pause" : "Resume"}
      <span className="unseen"> {schedule.name}</span>
    </button>
  );
}
