import type { Crypto } from "../ports/crypto.ts";
import type { MeterKeys } from "./meter-keys.ts";
import type { Operation, OperationKind } from "./operation.ts";
import type { DeviceProfile } from "./profile.ts";
import type { IntervalSet, MeterEvent, OperationResult, RegisterValue } from "./result.ts";

/** What can be asked by one message: reads, and setting a clock, which shows in the answer. Never an effect of class `once`. */
const MAIL_KINDS = ["readRegisters", "readIntervals", "readVoltage", "readEvents", "setClock"] as const;
export type MailOperation = Extract<Operation, { readonly kind: (typeof MAIL_KINDS)[number] }>;

export const isMailOperation = (operation: Operation): operation is MailOperation =>
  (MAIL_KINDS as readonly OperationKind[]).includes(operation.kind);

/** All that an answer is matched with. */
export interface MailRequest {
  /** Drawn from the meter's counters: never used twice. */
  readonly invocationId: number;
  /** When it was composed, clock ms: what it says of its time, and the time that a `setClock` sets. */
  readonly at: number;
  readonly operation: MailOperation;
}

/** The endpoint whose message is verified, or made. */
export interface Sleeper {
  readonly title: string;
  readonly profile: DeviceProfile;
  readonly keys: MeterKeys | undefined;
}

/** Who a message says it is from, and what it answers, if anything. Not verified: it only tells whose keys to ask for. */
export interface SleeperHint {
  readonly title: string;
  /** Absent: it says something by itself. */
  readonly answers?: number;
}

/** What an endpoint said by itself, proved to be its own. */
export interface Said {
  /** Which of its keys, and the number that it never uses twice with it. */
  readonly proof: { readonly key: string; readonly counter: bigint };
  /** When it says that it sent it, clock ms. */
  readonly sentAt: number;
  readonly registers: readonly RegisterValue[];
  readonly intervals: readonly IntervalSet[];
  readonly events: readonly MeterEvent[];
}

/** What a protocol family knows of endpoints that sleep: whole messages, one each way. */
export interface SleeperProtocol {
  readonly protocol: DeviceProfile["protocol"];
  /** How long an endpoint of this model listens after it has spoken, ms; undefined: it does not sleep. */
  listensMs(profile: DeviceProfile): number | undefined;
  /** Undefined: no message of this protocol. Total. */
  whose(octets: Uint8Array): SleeperHint | undefined;
  /** A request secured with the endpoint's own key. Throws `SessionError` `unsupported` for what it cannot be asked so. */
  compose(sleeper: Sleeper, request: MailRequest, crypto: Crypto): Uint8Array;
  /** The result of an answer, verified. Rejects with `SessionError`, as a session would. */
  open(octets: Uint8Array, sleeper: Sleeper, request: MailRequest, crypto: Crypto): Promise<OperationResult>;
  /** What it says by itself, verified; what is in clear is refused. Rejects with `SessionError`. */
  said(octets: Uint8Array, sleeper: Sleeper, crypto: Crypto): Promise<Said>;
}
