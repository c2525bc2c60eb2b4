import type { Clock } from "../ports/clock.ts";
import { type Link, LinkError } from "../ports/link.ts";
import type { MeterConnection } from "./meter.ts";

/** A simulated meter of either protocol, as far as a connection to it needs one. */
export interface DialledMeter {
  readonly plan: { readonly meterId: string; readonly fault: string | undefined };
  connect(): MeterConnection;
}

interface Due {
  readonly at: number;
  readonly octets: Uint8Array;
}

/** A connection to a simulated meter without a socket, in the clock's time. Throws `link.unreachable` as a dial would. */
export async function dialMeter(meter: DialledMeter, clock: Clock): Promise<Link> {
  if (meter.plan.fault === "closed") throw new LinkError("link.unreachable", `${meter.plan.meterId} does not listen`);
  const connection = meter.connect();
  const due: Due[] = [];
  let open = true;
  return {
    kind: "stream",
    send: async (octets) => {
      if (!open) throw new LinkError("link.closed", `${meter.plan.meterId} has closed the connection`);
      const reaction = connection.receive(octets.slice());
      const at = Math.max(due.at(-1)?.at ?? 0, clock.now() + reaction.afterMs);
      for (const answer of reaction.send) due.push({ at, octets: answer.slice() });
      if (reaction.close) open = false;
    },
    receive: async (deadline) => {
      const next = due[0];
      if (next === undefined && !open)
        throw new LinkError("link.closed", `${meter.plan.meterId} has closed the connection`);
      const until = Math.min(next?.at ?? deadline, deadline);
      if (until > clock.now()) await clock.sleep(until - clock.now());
      if (next === undefined || next.at > deadline)
        throw new LinkError("link.timeout", `${meter.plan.meterId} did not answer in time`);
      due.shift();
      return next.octets;
    },
    close: async () => {
      open = false;
    },
  };
}
