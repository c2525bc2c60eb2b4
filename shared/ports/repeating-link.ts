import type { Clock } from "./clock.ts";
import { type Link, LinkError } from "./link.ts";
import { equalOctets } from "./octets.ts";

/** A request that stays without an answer goes out so often within its time: the very same octets. */
const SENDS = 3;
/** Datagrams of one request that are kept for that. */
const DATAGRAMS_MAX = 64;

export interface RepeatingLink extends Link {
  /** Sends a datagram of a request that may be repeated while nothing comes; those sent in a row are one request. */
  sendRepeatedly(octets: Uint8Array): Promise<void>;
  /** How often a request was sent again. */
  readonly repeats: number;
}

/**
 * A datagram link on which lost requests and lost answers are made up for by sending again, bounded by the time that one
 * request has. An answer that comes twice because its request did is given once: it is the same octets.
 */
export function repeatingLink(
  link: Link,
  clock: Pick<Clock, "now">,
  { withinMs, onRepeat }: { readonly withinMs: number; readonly onRepeat?: (octets: Uint8Array) => void },
): RepeatingLink {
  let request: Uint8Array[] = [];
  let begun = 0;
  let sends = 1;
  let repeats = 0;
  /** Something has come since the last datagram was sent: what is sent next is another request. */
  let answered = true;
  let last: Uint8Array | undefined;
  /** Answers that may come a second time. */
  let owed = 0;

  const begin = (): void => {
    request = [];
    begun = clock.now();
    sends = 1;
    answered = false;
  };
  const again = async (): Promise<void> => {
    sends++;
    repeats++;
    owed++;
    for (const octets of request) {
      onRepeat?.(octets);
      await link.send(octets);
    }
  };

  return {
    kind: "datagram",
    get repeats() {
      return repeats;
    },
    async send(octets) {
      begin();
      answered = true;
      await link.send(octets);
    },
    async sendRepeatedly(octets) {
      if (answered) begin();
      if (request.length < DATAGRAMS_MAX) request.push(octets.slice());
      await link.send(octets);
    },
    async receive(deadline) {
      for (;;) {
        const mayRepeat = request.length > 0 && sends < SENDS;
        const until = mayRepeat ? Math.min(deadline, begun + (sends * withinMs) / SENDS) : deadline;
        let octets: Uint8Array;
        try {
          octets = await link.receive(until);
        } catch (error) {
          const silent = error instanceof LinkError && error.code === "link.timeout";
          if (!silent || until >= deadline || clock.now() >= deadline) throw error;
          await again();
          continue;
        }
        if (owed > 0 && last !== undefined && equalOctets(last, octets)) {
          owed--;
          continue;
        }
        answered = true;
        last = octets.slice();
        return octets;
      }
    },
    close: () => link.close(),
  };
}
