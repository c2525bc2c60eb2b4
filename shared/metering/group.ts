import type { Crypto } from "../ports/crypto.ts";
import type { MeterKeys } from "./meter-keys.ts";
import type { Operation, OperationKind } from "./operation.ts";
import type { DeviceProfile } from "./profile.ts";
import type { OperationResult } from "./result.ts";

/** A part of a signed image: each meter checks the signature of the whole before it uses any of it. */
export interface ImageBlock {
  readonly kind: "imageBlock";
  /** Offset in the image, octets. */
  readonly offset: number;
  readonly octets: Uint8Array;
}

/** All that a group's key authorises: reads, time, blocks of signed images. */
const GROUP_KINDS = ["readRegisters", "readIntervals", "readVoltage", "setClock"] as const;
export type GroupOperation = Extract<Operation, { readonly kind: (typeof GROUP_KINDS)[number] }> | ImageBlock;
export type GroupOperationKind = GroupOperation["kind"];

/** Whether a job's operation may go to a group: effects on a switch, keys, limits and programs never may. */
export const isGroupOperation = (kind: OperationKind): boolean => (GROUP_KINDS as readonly string[]).includes(kind);

/**
 * Invocation ids of group requests lie at or above this, those of single conversations below it: an answer to a group can
 * never pass for an answer to a conversation with the same meter.
 */
export const GROUP_INVOCATION_IDS = 0x4000_0000;
export const GROUP_INVOCATION_ID_MAX = 0x7fff_ffff;

/** A key that all members of a group hold. */
export interface GroupKey {
  /** By which the meters know it. */
  readonly id: number;
  /** AES-128, hex. */
  readonly hex: string;
}

/**
 * What is kept of a group request, and all that an answer is matched with. One invocation id is one APDU: what goes to
 * several fan-out points, or is repeated, is the same octets.
 */
export interface GroupRequest<O extends GroupOperation = GroupOperation> {
  /** The group's own title, in the protocol's form: an ApTitle. */
  readonly groupTitle: string;
  /** From `GROUP_INVOCATION_IDS` to `GROUP_INVOCATION_ID_MAX`, drawn from the group key's counter: never used twice. */
  readonly invocationId: number;
  /** Clock milliseconds; the time that a `setClock` sets, and the freshness that meters check. Never falls for a key. */
  readonly at: number;
  readonly operation: O;
}

/** Who an answer says it is from, and what it says it answers. Not verified: it only tells whose keys to ask for. */
export interface GroupAnswerHint {
  readonly title: string;
  readonly invocationId: number;
}

/** The member that an answer is verified as. */
export interface GroupMember {
  readonly title: string;
  readonly profile: DeviceProfile;
  readonly keys: MeterKeys | undefined;
}

/** What a protocol family knows of requests to many meters at once. Octets are whole messages, as on a stream. */
export interface GroupProtocol {
  readonly protocol: DeviceProfile["protocol"];
  /** Members of this model wait a random part of so long before they answer, ms; undefined: it takes no group requests. */
  spreadMs(profile: DeviceProfile): number | undefined;
  /** Whether members answer such a request at all; of image blocks they say nothing, their state is asked for later. */
  isAnswered(operation: GroupOperation): boolean;
  /**
   * One APDU for all members of one device model, secured with the group's key. Throws `SessionError` `unsupported` for
   * what the model cannot be asked so, and `unsafe` for anything that a group's key does not authorise.
   */
  compose(profile: DeviceProfile, request: GroupRequest, key: GroupKey, crypto: Crypto): Uint8Array;
  /** Undefined: no answer to a group request. Total. */
  whose(octets: Uint8Array): GroupAnswerHint | undefined;
  /** The result of one member's answer, verified under its own key. Rejects with `SessionError`, as a session would. */
  open(octets: Uint8Array, member: GroupMember, request: GroupRequest, crypto: Crypto): Promise<OperationResult>;
}
