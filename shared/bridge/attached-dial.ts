import type { AccessItem, AccessStore } from "../jobs/access.ts";
import { SessionError } from "../metering/failure.ts";
import type { DialRoute, RelayRoute } from "../metering/route.ts";
import type { Clock } from "../ports/clock.ts";
import { type Link, LinkError } from "../ports/link.ts";
import type { HeldConnection } from "./held-connection.ts";

/** Opens a link to where the meter of `item` says that it is. Throws `LinkError`, or `SessionError` `busy`. */
export type AttachedDial = (item: AccessItem, deadline: number) => Promise<Link>;

export interface AttachedDialPorts {
  readonly access: Pick<AccessStore, "detach">;
  /** On which the deadline is given. */
  readonly clock: Pick<Clock, "now">;
  /** This task. */
  readonly task: string;
  /** The connections of this task. */
  readonly find: (connection: string) => HeldConnection | undefined;
  /**
   * A byte pipe to the task at this address. `unknown`: it has no such connection; `gone`: nobody listens there. Throws
   * `LinkError` when that cannot be told.
   */
  readonly pipe: (address: string, connection: string, deadline: number) => Promise<Link | "unknown" | "busy" | "gone">;
  /** To an address that a meter has registered. */
  readonly dial: (route: DialRoute | RelayRoute, deadline: number) => Promise<Link>;
}

/** A task that did not answer is not asked again for so long, ms: its meters would each wait for it. */
const SILENT_MS = 30_000;
const SILENT_TASKS_MAX = 64;

const lost = (message: string, cause?: unknown): LinkError =>
  new LinkError("link.route-lost", message, cause === undefined ? {} : { cause });

/**
 * The `attached` transport. The task that has the socket is this one, or is asked for a byte pipe; a meter that registered
 * its address is dialled there. An entry that its own
 * task does not know, or whose task is gone, is removed under condition; one whose task merely does not answer is left:
 * the meter writes a newer one when it calls again.
 */
export function attachedDial(ports: AttachedDialPorts): AttachedDial {
  const silentUntil = new Map<string, number>();

  return async (item, deadline) => {
    const { attached } = item;
    if (attached === undefined) throw lost("the meter holds no connection to this headend now");
    const { connection } = attached;
    const stale = async (why: string): Promise<LinkError> => {
      await ports.access.detach(item, connection);
      return lost(why);
    };
    if ("route" in attached) {
      if (attached.until <= ports.clock.now()) throw await stale("the meter's registration has run out");
      return ports.dial(attached.route, deadline);
    }
    const { task, address } = attached;
    if (task === ports.task) {
      const held = ports.find(connection);
      if (held === undefined || !held.isOpen) throw await stale("the meter's connection to this task is gone");
      return held.take(deadline);
    }
    if ((silentUntil.get(task) ?? 0) > ports.clock.now())
      throw lost("the task that has the meter's connection did not answer lately");
    let answer: Awaited<ReturnType<AttachedDialPorts["pipe"]>>;
    try {
      answer = await ports.pipe(address, connection, deadline);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      if (silentUntil.size >= SILENT_TASKS_MAX) silentUntil.clear();
      silentUntil.set(task, ports.clock.now() + SILENT_MS);
      throw lost("the task that has the meter's connection does not answer", error);
    }
    if (answer === "busy")
      throw new SessionError("busy", "attached.busy", "another conversation has the meter's connection");
    if (answer === "unknown" || answer === "gone")
      throw await stale(
        answer === "gone"
          ? "the task that had the meter's connection is gone"
          : "the task named for the meter's connection does not know it",
      );
    return answer;
  };
}
