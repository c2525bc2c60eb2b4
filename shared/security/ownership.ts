import type { Caller } from "../jobs/job.ts";
import { type OperationKind, REPLAY_CLASS } from "../metering/operation.ts";

/** A machine of another system: it sees and steers what it asked for itself, and nothing else. */
export const isConfined = ({ roles }: Caller): boolean =>
  roles.includes("subscriber") && !roles.some((role) => role !== "subscriber");

/** Whether a caller may know of what `ownerId` asked for. */
export const maySee = (caller: Caller, ownerId: string): boolean => !isConfined(caller) || caller.id === ownerId;

/** Whether a caller may ask for this operation at all. Subscribers read; effects are for people and their systems. */
export const mayAsk = (caller: Caller, kind: OperationKind): boolean =>
  !isConfined(caller) || REPLAY_CLASS[kind] === "read";

/** Everybody manages their own schedules; supervisors and administrators all of them. */
export const mayManage = (caller: Caller, ownerId: string): boolean =>
  caller.id === ownerId || caller.roles.includes("supervisor") || caller.roles.includes("administrator");
