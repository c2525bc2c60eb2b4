import { conversationWatch } from "../dlms/client/conversation-watch.ts";
import { PushAssembly } from "../dlms/client/push-receiver.ts";
import { WrapperSplitter, wrap } from "../dlms/wrapper.ts";
import type { MeterId } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { Link } from "../ports/link.ts";
import { WireError } from "../wire/wire-error.ts";
import type { DlmsPushes } from "./dlms-pushes.ts";

/** A connection that somebody else has, and what the meter pushes on it. */
export interface TappedLink extends Link {
  /** Who has proved to be at the other end. */
  meterId: MeterId | undefined;
}

/** A meter that has pushed and is not talked with keeps its connection for so long after its last octets, ms. */
const LINGER_MS = 10_000;
/** Connections of one task that linger. */
const LINGERING_MAX = 4_096;
/** Pushes of one connection that are worked on, or wait for the results queue, at once: what is above is passed over. */
const AT_ONCE_MAX = 64;
const HDLC_FLAG = 0x7e;

export interface PushTap {
  tap(link: Link): TappedLink;
  /** Connections that nobody but the meter uses. */
  readonly lingering: number;
}

/**
 * Takes the pushes out of a stream of wrapper PDUs as it passes by: what comes while no conversation is under way. A meter
 * that only connects to push is given time to say it all, though whoever the connection was for has closed it. What is
 * pushed amid a conversation is passed over by it. HDLC is not listened to.
 */
export function pushTap(pushes: Pick<DlmsPushes, "receive">, clock: Clock): PushTap {
  let lingering = 0;

  const tap = (link: Link): TappedLink => {
    const watch = conversationWatch();
    const assembly = new PushAssembly();
    let splitter: WrapperSplitter | undefined = new WrapperSplitter();
    let heard = false;
    let pushed = false;
    let working = 0;
    let closing: Promise<void> | undefined;

    const handle = async (sourceWPort: number, destinationWPort: number, apdu: Uint8Array): Promise<void> => {
      pushed = true;
      working++;
      const { meterId } = tapped;
      const answer = await pushes.receive(apdu, { transport: "tcp", ...(meterId === undefined ? {} : { meterId }) });
      working--;
      // Into a conversation that has begun meanwhile nothing is said: the meter repeats what it wants to be confirmed.
      if (answer !== undefined && watch.atRest)
        await link.send(wrap(destinationWPort, sourceWPort, answer)).catch(() => undefined);
    };
    const listen = (octets: Uint8Array): void => {
      if (!heard && octets[0] === HDLC_FLAG) splitter = undefined;
      heard = true;
      if (splitter === undefined) return;
      try {
        const idle = watch.atRest;
        for (const { sourceWPort, destinationWPort, apdu } of splitter.push(octets)) {
          const whole = idle ? assembly.take(apdu) : undefined;
          if (whole !== undefined && working < AT_ONCE_MAX)
            void handle(sourceWPort, destinationWPort, Uint8Array.from(whole));
        }
        watch.received(octets);
      } catch (error) {
        splitter = undefined; // whoever has the connection finds that out too
        if (!(error instanceof WireError) && !(error instanceof HeadraceError)) throw error;
      }
    };
    /** The look for octets that is under way. */
    let looking: Promise<Uint8Array> | undefined;
    const look = (deadline: number): Promise<Uint8Array> => {
      const octets = link.receive(deadline).then((received) => {
        listen(received);
        return received;
      });
      looking = octets;
      const over = (): void => {
        if (looking === octets) looking = undefined;
      };
      octets.then(over, over);
      return octets;
    };
    /** Whoever it was for has no use for it: the meter may go on pushing. */
    const linger = async (): Promise<void> => {
      const idle = new AbortController();
      try {
        while (splitter !== undefined) {
          const next = looking ?? look(clock.now() + LINGER_MS);
          const late = clock.sleep(LINGER_MS, idle.signal).then(() => undefined);
          late.catch(() => undefined);
          if ((await Promise.race([next, late])) === undefined) break;
        }
      } catch {
        // nothing more comes
      }
      idle.abort();
      await link.close();
    };

    const tapped: TappedLink = {
      kind: link.kind,
      meterId: undefined,
      async send(octets) {
        watch.sent(octets);
        await link.send(octets);
      },
      receive: look,
      close() {
        if (closing !== undefined) return closing;
        if (!pushed || tapped.meterId !== undefined || lingering >= LINGERING_MAX) closing = link.close();
        else {
          lingering++;
          closing = Promise.resolve();
          void linger().finally(() => lingering--);
        }
        return closing;
      },
    };
    return tapped;
  };
  return {
    tap,
    get lingering() {
      return lingering;
    },
  };
}
