import type { Job } from "./job.ts";

/** Shares are message group ids of the lanes' queues too: 1 to 128 letters, digits or punctuation. */
const SHARE_MAX = 100;
const PINGS = "~ping";

/**
 * The share that a job's work counts as: its caller's. Callers take turns inside a lane, whatever each has queued.
 * A caller's pings are a share of their own, so that a storm of them keeps his own reads no longer waiting than
 * anybody else's. Two callers whose ids differ only in unusual characters share one.
 */
export const fairShare = ({ caller, operation }: Pick<Job, "caller" | "operation">): string =>
  `${caller.id.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, SHARE_MAX)}${operation.kind === "ping" ? PINGS : ""}`;

/** Told by the message alone, before anything is read. */
export const isPing = ({ share }: { readonly share?: string | undefined }): boolean => share?.endsWith(PINGS) === true;
