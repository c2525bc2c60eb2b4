import type { ConversationWatch } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import type { Clock } from "../ports/clock.ts";
import { type Link, LinkError } from "../ports/link.ts";

/** Conversations that may wait for their turn on one connection. */
export const WAITING_MAX = 4;
/** Octets that a meter may send ahead of who reads them, or between two conversations within a minute. */
export const AHEAD_MAX = 1_048_576;
const IDLE_WINDOW_MS = 60_000;
/** How long one look for octets may last, ms: only the socket's own end ends it earlier. */
const LISTEN_MS = 600_000;
/** A push that is under way when a turn begins may take so long to end, ms. */
const SETTLE_MS = 2_000;
const SETTLE_STEP_MS = 100;

/** A connection that a meter opened and keeps open. It carries one conversation at a time. */
export interface HeldConnection {
  /**
   * The connection for one conversation, which ends when its link is closed. Rejects with `LinkError` `link.route-lost`
   * when the connection is gone, and with `SessionError` `busy` when no turn comes by the deadline (clock ms).
   */
  take(deadline: number): Promise<Link>;
  /** Ends the connection; idempotent. */
  close(): void;
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;
  readonly isOpen: boolean;
  /** A conversation is under way. */
  readonly busy: boolean;
}

interface Turn {
  readonly inbox: Uint8Array[];
  ahead: number;
  over: boolean;
  wake(): void;
}

const gone = (): LinkError => new LinkError("link.route-lost", "the meter's own connection is gone");

/**
 * Holds a connection. What comes between two conversations is a push: it is passed over. A conversation that ends while
 * an answer may still come ends the connection with it: nothing of one conversation ever reaches the next one.
 */
export function holdConnection(link: Link, watch: ConversationWatch, clock: Clock): HeldConnection {
  let open = true;
  let turn: Turn | undefined;
  /** Somebody has the turn, or is about to begin it. */
  let taken = false;
  const waiting: (() => void)[] = [];
  /** What came before the first conversation: it belongs to it. */
  let early: Uint8Array[] | undefined = [];
  let idle = { since: clock.now(), octets: 0 };
  let settle: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    settle = resolve;
  });

  const close = (): void => {
    if (!open) return;
    open = false;
    turn?.wake();
    for (const next of waiting.splice(0)) next();
    void link.close().then(settle);
  };
  const passOver = (length: number): void => {
    const now = clock.now();
    if (now - idle.since >= IDLE_WINDOW_MS) idle = { since: now, octets: 0 };
    idle.octets += length;
    if (idle.octets > AHEAD_MAX) close();
  };
  const deliver = (octets: Uint8Array): void => {
    watch.received(octets);
    if (turn === undefined) {
      early?.push(octets);
      passOver(octets.length);
      return;
    }
    turn.inbox.push(octets);
    turn.ahead += octets.length;
    if (turn.ahead > AHEAD_MAX) close();
    else turn.wake();
  };
  const listen = async (): Promise<void> => {
    while (open)
      try {
        deliver(await link.receive(clock.now() + LISTEN_MS));
      } catch (error) {
        // Its end, or octets that are of no protocol: either way nobody can go on with it.
        if (!(error instanceof LinkError) || error.code !== "link.timeout") close();
      }
  };

  const begin = (): Link => {
    let wake: (() => void) | undefined;
    const own: Turn = { inbox: early ?? [], ahead: 0, over: false, wake: () => wake?.() };
    early = undefined;
    turn = own;
    return {
      kind: link.kind,
      async send(octets) {
        if (own.over || !open) throw new LinkError("link.closed", "the connection is closed");
        try {
          watch.sent(octets);
          await link.send(octets);
        } catch (error) {
          close();
          throw error;
        }
      },
      async receive(deadline) {
        if (own.inbox.length === 0 && open && !own.over) {
          const waked = new AbortController();
          wake = () => waked.abort();
          await clock.sleep(Math.max(0, deadline - clock.now()), waked.signal).catch(() => undefined);
          wake = undefined;
        }
        const octets = own.inbox.shift();
        if (octets !== undefined) {
          own.ahead = Math.max(0, own.ahead - octets.length);
          return octets;
        }
        if (open && !own.over) throw new LinkError("link.timeout", "no octets by the deadline");
        throw new LinkError("link.closed", "the meter closed its connection");
      },
      async close() {
        if (own.over) return;
        own.over = true;
        own.wake();
        turn = undefined;
        if (open && !watch.atRest) close();
        const next = waiting.shift();
        if (next === undefined) taken = false;
        else next();
      },
    };
  };

  /** Waits for the turn; the caller has it when this resolves, unless the connection is gone. */
  const inTurn = async (deadline: number): Promise<void> => {
    if (!taken) {
      taken = true;
      return;
    }
    const busy = () => new SessionError("busy", "attached.busy", "another conversation has the meter's connection");
    if (waiting.length >= WAITING_MAX) throw busy();
    const mine = new AbortController();
    const next = (): void => mine.abort();
    waiting.push(next);
    await clock.sleep(Math.max(0, deadline - clock.now()), mine.signal).catch(() => undefined);
    if (mine.signal.aborted) return;
    waiting.splice(waiting.indexOf(next), 1);
    throw busy();
  };

  void listen();
  return {
    async take(deadline) {
      if (!open) throw gone();
      await inTurn(deadline);
      const link = open ? begin() : undefined;
      for (const until = clock.now() + SETTLE_MS; open && !watch.atRest; ) {
        if (clock.now() >= until) close();
        else await clock.sleep(SETTLE_STEP_MS);
      }
      if (link === undefined || !open) throw gone();
      return link;
    },
    close,
    closed,
    get isOpen() {
      return open;
    },
    get busy() {
      return taken;
    },
  };
}
