import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { type HdlcFrame, HdlcFrameCodec } from "./hdlc-frame.ts";

const FLAG = 0x7e;
const FRAME_MAX = 0x7ff;

/** A frame with its octets as on the wire. */
export interface SplitFrame {
  readonly frame: HdlcFrame;
  readonly octets: Uint8Array;
}

/**
 * Cuts a stream, in chunks of any size, into HDLC frames. A flag may end one frame and begin the next. What is no frame,
 * or fails its check, is passed over up to the next flag, as noise on a line is; `dropped` counts it.
 */
export class HdlcSplitter {
  #pending: Uint8Array = new Uint8Array(0);
  dropped = 0;

  /** Octets that wait for the rest of their frame; a flag alone is none. */
  get pending(): number {
    return this.#pending.length > 1 ? this.#pending.length : 0;
  }

  push(chunk: Uint8Array): readonly SplitFrame[] {
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    const frames: SplitFrame[] = [];
    let at = joined.indexOf(FLAG);
    while (at >= 0) {
      const found = this.#at(joined, at);
      if (found === "more") break;
      if (found !== undefined) {
        frames.push(found);
        at += found.octets.length - 1; // its last flag may begin the next frame
        if (at === joined.length - 1) break;
        continue;
      }
      at = joined.indexOf(FLAG, at + 1);
    }
    this.#pending = at < 0 ? new Uint8Array(0) : joined.slice(at);
    return frames;
  }

  /** The frame at a flag; `more`: its end has not come; undefined: there is none here. */
  #at(octets: Uint8Array, at: number): SplitFrame | "more" | undefined {
    const [high, low] = [octets[at + 1], octets[at + 2]];
    if (high === undefined) return "more";
    if (high === FLAG) return undefined;
    if (high >>> 4 !== 0xa) {
      this.dropped += 1;
      return undefined;
    }
    if (low === undefined) return "more";
    const length = (((high << 8) | low) & FRAME_MAX) + 2;
    if (octets.length < at + length) return "more";
    const whole = octets.slice(at, at + length);
    try {
      return { frame: decode(HdlcFrameCodec, whole), octets: whole };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.dropped += 1;
      return undefined;
    }
  }
}
