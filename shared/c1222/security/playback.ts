import { toHex } from "../../ports/octets.ts";
import type { AContext } from "../a-context.ts";
import { absoluteTitle } from "../ap-title.ts";
import type { CallingAuthenticationValue } from "../calling-authentication-value.ts";

/** How far an IV may be from the receiver's own clock, ms: the message acceptance window. */
export const ACCEPTANCE_WINDOW_MS = 900_000;

/** Whether a verified message is new. `late`: outside of the acceptance window, also ahead of it. */
export type Freshness = "fresh" | "repeated" | "late";

/**
 * Playback rejection: a message is known by its sender, key and invocation id for as long as its IV could still be
 * accepted. Only messages that verified belong in here, so that a stranger cannot fill it.
 */
export class PlaybackGuard {
  readonly #seen = new Map<string, number>();
  readonly #most: number;

  /** `most`: messages kept; beyond it, the oldest would have to be forgotten, so that what comes then is `late`. */
  constructor(most: number) {
    this.#most = most;
  }

  get remembered(): number {
    return this.#seen.size;
  }

  /** `now`: clock milliseconds. */
  judge(
    now: number,
    { callingApTitle, callingApInvocationId }: AContext,
    { keyId, iv }: CallingAuthenticationValue,
  ): Freshness {
    if (Math.abs(now - iv * 1000) > ACCEPTANCE_WINDOW_MS) return "late";
    for (const [key, until] of this.#seen) {
      if (until >= now) break;
      this.#seen.delete(key);
    }
    const key = `${absoluteTitle(callingApTitle ?? ".")} ${keyId} ${toHex(callingApInvocationId)}`;
    if (this.#seen.has(key)) return "repeated";
    if (this.#seen.size >= this.#most) return "late";
    this.#seen.set(key, now + 2 * ACCEPTANCE_WINDOW_MS);
    return "fresh";
  }
}
