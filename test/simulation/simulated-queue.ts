import type { SliceKey } from "../../shared/jobs/slice.ts";
import { below, fraction, type Random } from "../../shared/ports/random.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface QueuedMessage {
  readonly body: string;
  readonly about: SliceKey;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
}

/** A message as one receiver got it. */
export interface Delivery {
  readonly message: QueuedMessage;
  /** Which of its receives this was. */
  readonly receipt: number;
}

const VISIBILITY_MS = 60_000;
/** A message that was received so often is parked. */
export const RECEIVES_MAX = 10;

export interface QueuePorts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: FaultPlan;
}

/** A queue as SQS is one: at least once, in any order, received messages invisible for a while. */
export class SimulatedQueue {
  readonly messages = new Set<QueuedMessage>();
  readonly parked: QueuedMessage[] = [];
  readonly #ports: QueuePorts;
  readonly #waiting = new Set<() => void>();
  readonly #changed: (message: QueuedMessage, by: 1 | -1) => void;

  constructor(ports: QueuePorts, changed: (message: QueuedMessage, by: 1 | -1) => void = () => undefined) {
    this.#ports = ports;
    this.#changed = changed;
  }

  send(body: string, about: SliceKey): void {
    const { time, random, faults } = this.#ports;
    const add = (visibleAt: number): void => {
      const message = { body, about, sentAt: time.now, visibleAt, receives: 0 };
      this.messages.add(message);
      this.#changed(message, 1);
      time.at(visibleAt, () => this.#wake());
    };
    let visibleAt = time.now;
    if (faults.strikes("delayed")) {
      visibleAt += 1_000 + below(random, below(random, 4) === 0 ? 720_000 : 90_000);
      time.at(visibleAt, () => faults.note("delayed", about));
      faults.note("delayed", about);
    }
    add(visibleAt);
    if (faults.strikes("duplicated")) {
      const copyAt = time.now + below(random, 300_000);
      time.at(copyAt, () => faults.note("duplicated", about));
      faults.note("duplicated", about);
      add(copyAt);
    }
  }

  /** What one receive brings now. */
  take(max: number): Delivery[] {
    const { time, random, faults } = this.#ports;
    const visible: QueuedMessage[] = [];
    for (const message of this.messages) if (message.visibleAt <= time.now) visible.push(message);
    const taken: Delivery[] = [];
    while (visible.length > 0 && taken.length < max) {
      const last = faults.strikes("reordered") ? below(random, visible.length) : 0;
      const [message] = visible.splice(last, 1);
      if (message === undefined) break;
      if (last > 0) faults.note("reordered", message.about);
      if (message.receives >= RECEIVES_MAX) {
        this.remove(message);
        this.parked.push(message);
        continue;
      }
      message.receives++;
      if (faults.strikes("duplicated")) {
        faults.note("duplicated", message.about);
        time.after(below(random, 2_000), () => this.#wake());
      } else {
        message.visibleAt = time.now + VISIBILITY_MS;
        time.at(message.visibleAt, () => this.#wake());
      }
      if (faults.strikes("delivery-lost")) {
        faults.note("delivery-lost", message.about);
        continue;
      }
      taken.push({ message, receipt: message.receives });
    }
    return taken;
  }

  /** Invisible for `ms` from now. Throws when the message is visible again: somebody else may have it. */
  renew({ message }: Delivery, ms: number): void {
    const { time } = this.#ports;
    if (!this.messages.has(message)) throw new Error("the message is gone");
    if (message.visibleAt <= time.now && ms > 0) throw new Error("the message is not in flight any more");
    message.visibleAt = time.now + ms;
    time.at(message.visibleAt, () => this.#wake());
  }

  /** An old receipt need not delete what was received again since. */
  delete({ message, receipt }: Delivery): void {
    if (receipt !== message.receives && fraction(this.#ports.random) < 0.5) {
      this.#ports.faults.note("delivery-lost", message.about);
      return;
    }
    this.remove(message);
  }

  remove(message: QueuedMessage): void {
    if (this.messages.delete(message)) this.#changed(message, -1);
  }

  /** Calls once when something may be there to receive; answers how to stop waiting. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => void this.#waiting.delete(wake);
  }

  get hasVisible(): boolean {
    const { now } = this.#ports.time;
    for (const { visibleAt } of this.messages) if (visibleAt <= now) return true;
    return false;
  }

  #wake(): void {
    if (this.#waiting.size === 0 || !this.hasVisible) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
