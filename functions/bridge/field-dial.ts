import type { Dial } from "../../shared/bridge/dial.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { tcpDial } from "./tcp-dial.ts";
import { udpDial } from "./udp-dial.ts";

/** Dials meters over the transport of their route. */
export function fieldDial(clock: Pick<Clock, "now">): Dial {
  const byTransport = { tcp: tcpDial(clock), udp: udpDial(clock) };
  return (route, deadline) => byTransport[route.transport](route, deadline);
}
