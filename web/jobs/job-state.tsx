import { Badge, type Shape, type Tone } from "../figures/badge.tsx";
import type { ApiJob } from "./job-text.ts";

const LOOKS: Readonly<Record<string, readonly [Tone, Shape]>> = {
  planning: ["calm", "ring"],
  planned: ["calm", "clock"],
  running: ["calm", "arrow"],
  paused: ["warn", "dash"],
  cancelling: ["warn", "cross"],
};

export function JobState({ job }: { readonly job: ApiJob }) {
  if (job.state !== "closed") {
    const [tone, shape] = LOOKS[job.state] ?? ["calm", "ring"];
    return <Badge tone={tone} shape={shape} text={job.state} />;
  }
  const { failed = 0, expired = 0, cancelled = 0 } = job.progress ?? {};
  if (failed + expired > 0) return <Badge tone="warn" shape="alert" text="closed, not all done" />;
  if (cancelled > 0) return <Badge tone="quiet" shape="dash" text="closed, cancelled" />;
  return <Badge tone="good" shape="tick" text="closed" />;
}
