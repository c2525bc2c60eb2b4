import type { LaneMessage, LaneReceiver } from "../../shared/bridge/bridge.ts";
import { type UplinkPorts, uplinks } from "../../shared/bridge/uplinks.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { factsOf } from "../adapters/telemetry.ts";
import { logger } from "./slice-log.ts";

export interface MailRoomPorts extends UplinkPorts {
  readonly clock: Clock;
  readonly receiver: LaneReceiver;
  /** Out of the way, with the reason, what nobody can make anything of. */
  readonly park: (body: string, reason: string) => Promise<void>;
  /** False: another Region is the active one, or this task's clock is wrong. */
  readonly mayReceive: () => boolean;
}

/** The side of the bridge to which endpoints that sleep speak. */
export interface MailRoom {
  counts(): Readonly<Record<string, number>> | undefined;
  /** Takes no more; resolves when what was taken is through. */
  drain(): Promise<void>;
}

/** Receivers at once: an endpoint that has spoken listens for seconds only. */
const RECEIVERS = 4;
const TOGETHER = 10;
const PAUSE_MS = 1_000;
/** Refusals that are worth a line in the log: somebody is not who the certificate or the key says. */
const SUSPICIOUS = /^(?:uplink\.other-thing|c1222\.(?:bad-mac|unknown-key|other-title|security-mode))$/;

export function openMailRoom(ports: MailRoomPorts): MailRoom {
  const { clock, receiver } = ports;
  const desk = uplinks({ ...ports, bridgeId: `${ports.bridgeId}-uplinks` });
  const stopping = new AbortController();
  const { signal } = stopping;

  const handle = async (message: LaneMessage): Promise<void> => {
    try {
      const end = await desk.receive(message.body);
      if (end.kind === "malformed") await ports.park(message.body, end.reason);
      if (end.kind === "refused" && SUSPICIOUS.test(end.code)) logger.warn("an uplink was refused", { code: end.code });
      await message.delete();
    } catch (error) {
      logger.warn("an uplink comes again", { fault: factsOf(error), receives: message.receives }); // when it is visible
    }
  };
  const receive = async (): Promise<void> => {
    while (!signal.aborted)
      try {
        if (!ports.mayReceive()) await clock.sleep(PAUSE_MS, signal);
        else await Promise.all((await receiver.receive(TOGETHER, signal)).map(handle));
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("uplinks cannot be received", { fault: factsOf(error) });
        await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
      }
  };
  const receivers = Array.from({ length: RECEIVERS }, receive);

  return {
    counts: () => desk.counts(),
    async drain() {
      stopping.abort();
      await Promise.all(receivers);
    },
  };
}
