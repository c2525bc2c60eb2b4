import type { LaneMessage, LaneReceiver } from "../../shared/bridge/bridge.ts";
import type { Clock } from "../../shared/ports/clock.ts";

/** What a killed bridge waits for never comes: its code does not go on. */
export const lives = async (gone: AbortSignal): Promise<void> => {
  if (gone.aborted) await new Promise<never>(() => {});
};

export interface Queued {
  readonly body: string;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
}

/** A lane as SQS keeps it: received messages are invisible for 60 s, come back unless they are deleted. */
export class MemoryLane {
  readonly #clock: Clock;
  readonly #groupOf: ((body: string) => string) | undefined;
  readonly #queued = new Set<Queued>();

  /** `groupOf`: makes it a fair queue, which gives messages of groups with few in flight first. */
  constructor(clock: Clock, groupOf?: (body: string) => string) {
    this.#clock = clock;
    this.#groupOf = groupOf;
  }

  #visible(now: number): Queued[] {
    const visible = this.queued.filter(({ visibleAt }) => visibleAt <= now);
    const groupOf = this.#groupOf;
    if (groupOf === undefined) return visible;
    const inFlight = new Map<string, number>();
    for (const { body, visibleAt } of this.#queued)
      if (visibleAt > now) inFlight.set(groupOf(body), (inFlight.get(groupOf(body)) ?? 0) + 1);
    const busy = ({ body }: Queued): number => inFlight.get(groupOf(body)) ?? 0;
    return visible.sort((left, right) => busy(left) - busy(right));
  }

  get queued(): readonly Queued[] {
    return [...this.#queued];
  }

  send(body: string): void {
    this.#queued.add({ body, sentAt: this.#clock.now(), visibleAt: 0, receives: 0 });
  }

  /** The receiving side of a bridge that may be killed. */
  receiver(gone: AbortSignal): LaneReceiver {
    return {
      receive: async (max, signal) => {
        const either = AbortSignal.any([signal, gone]);
        const until = this.#clock.now() + 20_000;
        for (;;) {
          await lives(gone);
          const now = this.#clock.now();
          const found = either.aborted ? [] : this.#visible(now).slice(0, max);
          if (found.length > 0 || either.aborted || now >= until)
            return found.map((queued) => this.#take(queued, gone));
          await this.#clock.sleep(200, either).catch(() => undefined);
        }
      },
    };
  }

  #take(queued: Queued, gone: AbortSignal): LaneMessage {
    queued.visibleAt = this.#clock.now() + 60_000;
    queued.receives++;
    return {
      body: queued.body,
      sentAt: queued.sentAt,
      receives: queued.receives,
      renew: async (ms) => {
        await lives(gone);
        queued.visibleAt = this.#clock.now() + ms;
      },
      delete: async () => {
        await lives(gone);
        this.#queued.delete(queued);
      },
    };
  }
}
