import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Link } from "../ports/link.ts";
import type { Random } from "../ports/random.ts";
import type { EffectSession } from "./effect.ts";
import type { MeterKeys } from "./meter-keys.ts";
import type { Operation } from "./operation.ts";
import type { DeviceProfile, DlmsProfile } from "./profile.ts";
import type { PushDestination } from "./push-setting.ts";
import type { IntervalSet, OperationResult } from "./result.ts";

/** Draws invocation counters out of a lease: each call is one call of an AEAD or GMAC primitive, and never repeats. */
export interface CounterSource {
  /** Throws `SessionError("internal", "counter.exhausted", …, { retry: "later" })` when the lease is used up. */
  next(): number;
}

/** All a driver gets. It opens no socket, reads no clock but this and keeps nothing. `P`: the profiles that it is for. */
export interface SessionContext<P extends DeviceProfile = DlmsProfile> {
  readonly link: Link;
  readonly clock: Clock;
  /** Challenges and other fresh octets. */
  readonly random: Random;
  readonly crypto: Crypto;
  readonly profile: P;
  /** Enrolled identity, authoritative: an answer under another title is refused. Hex, as enrolled. */
  readonly systemTitle: string | undefined;
  /** This headend's own title, unique to deployment and Region; hex, 8 octets. */
  readonly clientSystemTitle: string;
  readonly keys: MeterKeys | undefined;
  readonly counters: CounterSource;
  /** Where meters are to push to, if nobody says otherwise; absent: this deployment lets none call in. */
  readonly pushesTo?: PushDestination;
  /** It is about the clock: a meter that takes the present for long ago is asked as its protocol has it for that. */
  readonly recoversClock?: boolean;
  /** How long one request may stay unanswered, ms. */
  readonly responseTimeoutMs: number;
  /** Also ask, with the clock, what the meter says of itself. */
  readonly asksIdentity?: boolean;
  /** Told of intervals as they come, so that a conversation that breaks off has not been for nothing. */
  readonly onIntervals?: (part: IntervalSet) => void;
  /** Told of each frame, for digests and evidence; the octets are as on the wire. */
  readonly onFrame?: (direction: "sent" | "received", octets: Uint8Array) => void;
}

/** One authenticated conversation with one meter. */
export interface MeterSession {
  /**
   * Throws `SessionError` or `LinkError`. Definite refusals of a part are in the result. `mayChange` is asked right before
   * the frames that change a limit; what it throws is thrown, and nothing was sent.
   */
  perform(operation: Operation, mayChange?: () => Promise<void>): Promise<OperationResult>;
  /** Effects of class `once`; absent: this driver has none. `perform` never does one. */
  readonly effects?: EffectSession;
  /** Releases politely within a short time; never rejects. The caller closes the link. */
  release(): Promise<void>;
}

/** A protocol family. Opens a session (association, proof of both sides), or throws `SessionError` or `LinkError`. */
export interface Driver {
  readonly protocol: DeviceProfile["protocol"];
  open(context: SessionContext<DeviceProfile>): Promise<MeterSession>;
  /**
   * Asks the network card alone who it is, in the open: it resolves when something in front of the meter has answered, be it by
   * a refusal. That proves no keys, and nothing of the meter. Throws `SessionError` or `LinkError`.
   */
  identify?(context: SessionContext<DeviceProfile>): Promise<void>;
}

/** Who a meter that calls in says it is. Hints, all of them, until its session has proved one. */
export interface Introduction {
  /** System titles, hex. */
  readonly titles: readonly string[];
  /** What may be its serial. */
  readonly serials: readonly string[];
}

/** Looks on at the conversations of one connection. Tells a connection that can serve another one from one that can't. */
export interface ConversationWatch {
  sent(octets: Uint8Array): void;
  received(octets: Uint8Array): void;
  /** Nothing that was asked can still be answered, and no part of a message is under way. */
  readonly atRest: boolean;
}

/** What a protocol family knows of meters that call in. */
export interface Reception {
  readonly protocol: DeviceProfile["protocol"];
  /**
   * Learns who calls: from what the meter says by itself within `firstWordMs`, else by asking in the open. Absent: a
   * caller says it by itself or is nobody. Throws `SessionError` or `LinkError`.
   */
  introduce?(
    context: Omit<SessionContext, "profile" | "systemTitle" | "keys" | "counters"> & { readonly firstWordMs: number },
  ): Promise<Introduction>;
  watch(): ConversationWatch;
}
