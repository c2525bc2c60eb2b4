import { HeadraceError } from "../ports/errors.ts";

/**
 * Which pushes of one meter under one key have been taken. Their counters rise, but they do not come in order: datagrams
 * overtake each other, and so do the batches of several bridges. So the newest `WINDOW` are remembered one by one, each
 * with the report that brought it; below them there is a floor. A meter that pushes each 15 minutes has eight hours of room.
 */
export const WINDOW = 32;

export interface TakenPush {
  readonly counter: bigint;
  /** The report that brought it: eight octets as hex, the same for the same report however often it is delivered. */
  readonly report: string;
  /** When the bridge had it, clock ms. */
  readonly receivedAt: number;
}

export interface PushWindow {
  /** By counter, highest first; at most `WINDOW`. */
  readonly taken: readonly TakenPush[];
  /** The highest that has left the window, and when the newest of those that have left came, clock ms. */
  readonly floor?: { readonly counter: bigint; readonly receivedAt: number };
}

export const NOTHING_TAKEN: PushWindow = { taken: [] };

/**
 * `new`: nobody has had this counter. `again`: the same report, delivered once more: what it writes is written again.
 * `late`: too old to tell, but a bridge had it before the floor was: it was our own queues that kept it, and what it writes
 * is the same, written twice or not. `replayed`: somebody else had the counter, or it is older than anything that waits.
 */
export type PushVerdict =
  | { readonly kind: "new"; readonly next: PushWindow }
  | { readonly kind: "again" | "late" | "replayed" };

/** Pure; `new` is only true once `next` is stored under the condition that the window is still this one. */
export function judgePush(window: PushWindow, push: TakenPush): PushVerdict {
  const there = window.taken.find(({ counter }) => counter === push.counter);
  if (there !== undefined) return { kind: there.report === push.report ? "again" : "replayed" };
  const { floor } = window;
  if (floor !== undefined && push.counter <= floor.counter)
    return { kind: push.receivedAt <= floor.receivedAt ? "late" : "replayed" };
  const taken = [...window.taken, push].sort((left, right) => (left.counter > right.counter ? -1 : 1));
  const out = taken.length > WINDOW ? taken.pop() : undefined;
  if (out === undefined) return { kind: "new", next: { ...window, taken } };
  return {
    kind: "new",
    next: {
      taken,
      floor: { counter: out.counter, receivedAt: Math.max(out.receivedAt, floor?.receivedAt ?? 0) },
    },
  };
}

const ENTRY = 24;

/** The octets of a window: entries of counter (8), report (8) and instant (8), the floor first where there is one. */
export function encodePushWindow({ taken, floor }: PushWindow): Uint8Array {
  const entries = [...(floor === undefined ? [] : [{ ...floor, report: "0".repeat(16) }]), ...taken];
  const octets = new Uint8Array(1 + ENTRY * entries.length);
  const view = new DataView(octets.buffer);
  octets[0] = floor === undefined ? 0 : 1;
  for (const [index, { counter, report, receivedAt }] of entries.entries()) {
    const at = 1 + index * ENTRY;
    view.setBigUint64(at, counter);
    view.setBigUint64(at + 8, BigInt(`0x${report}`));
    view.setBigInt64(at + 16, BigInt(receivedAt));
  }
  return octets;
}

/** Throws `push.window-malformed`. */
export function decodePushWindow(octets: Uint8Array): PushWindow {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const count = (octets.length - 1) / ENTRY;
  const form = octets[0] ?? 0xff;
  if (!Number.isInteger(count) || form > 1 || count < form || count - form > WINDOW)
    throw new HeadraceError("push.window-malformed", `expected a window of counters, got ${octets.length} octets`, {
      retry: "never",
    });
  const entries = Array.from({ length: count }, (_, index) => {
    const at = 1 + index * ENTRY;
    return {
      counter: view.getBigUint64(at),
      report: view
        .getBigUint64(at + 8)
        .toString(16)
        .padStart(16, "0"),
      receivedAt: Number(view.getBigInt64(at + 16)),
    };
  });
  const [first] = form === 1 ? entries : [];
  return {
    taken: entries.slice(form),
    ...(first === undefined ? {} : { floor: { counter: first.counter, receivedAt: first.receivedAt } }),
  };
}

/** One window a (meter, key, version of its keys): a new key counts anew. */
export interface PushKey {
  readonly meterId: string;
  readonly key: string;
  readonly version: number;
}

/** Windows as stored. Keys live in `functions/adapters/dynamo-push-counters.ts`. */
export interface PushCounters {
  /** Strongly consistent, in batches; version 0: there is none yet. In the order of the keys. */
  read(keys: readonly PushKey[]): Promise<readonly { readonly window: PushWindow; readonly version: number }[]>;
  /** Conditional on the version that was read. */
  write(key: PushKey, window: PushWindow, was: number): Promise<"written" | "conflict">;
}

export const pushKeyText = ({ meterId, key, version }: PushKey): string => `${meterId}#${key}#${version}`;

/** Windows in memory, with the same conditions as the real ones. */
export function memoryPushCounters(): PushCounters {
  const windows = new Map<string, { readonly window: PushWindow; readonly version: number }>();
  return {
    read: async (keys) => keys.map((key) => windows.get(pushKeyText(key)) ?? { window: NOTHING_TAKEN, version: 0 }),
    async write(key, window, was) {
      if ((windows.get(pushKeyText(key))?.version ?? 0) !== was) return "conflict";
      windows.set(pushKeyText(key), { window, version: was + 1 });
      return "written";
    },
  };
}
