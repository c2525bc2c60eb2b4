import type { Clock } from "../ports/clock.ts";

/** What one task lets in. */
export interface ReceptionLimits {
  /** Connections, those that are still being identified among them. */
  readonly connections: number;
  /** Connections that are being identified at once. */
  readonly arriving: number;
  /** New connections a minute. */
  readonly perMinute: number;
  /** Tries a minute to prove one name: a stranger who says it must not wear its counters out. */
  readonly perMeter: number;
  /** From the connection to its proof, ms. */
  readonly identifyMs: number;
  /** What a meter says by itself is waited for so long, ms. */
  readonly firstWordMs: number;
}

export const RECEPTION_LIMITS: Omit<ReceptionLimits, "connections"> = {
  arriving: 256,
  perMinute: 3_000,
  perMeter: 6,
  identifyMs: 20_000,
  firstWordMs: 1_000,
};

const MINUTE_MS = 60_000;
const METERS_MAX = 10_000;

/** Counts within minutes of the machine's clock. */
export interface MinuteCounts {
  /** False: too many in this minute. */
  arrival(): boolean;
  /** False: the meter was tried too often in this minute. */
  attempt(meterId: string): boolean;
}

export function minuteCounts(clock: Pick<Clock, "now">, limits: ReceptionLimits): MinuteCounts {
  let minute = -1;
  let arrivals = 0;
  const attempts = new Map<string, number>();
  const turn = (): void => {
    const now = Math.floor(clock.now() / MINUTE_MS);
    if (now === minute) return;
    minute = now;
    arrivals = 0;
    attempts.clear();
  };
  return {
    arrival() {
      turn();
      return ++arrivals <= limits.perMinute;
    },
    attempt(meterId) {
      turn();
      const tries = (attempts.get(meterId) ?? 0) + 1;
      if (attempts.size < METERS_MAX || attempts.has(meterId)) attempts.set(meterId, tries);
      else return false;
      return tries <= limits.perMeter;
    },
  };
}
