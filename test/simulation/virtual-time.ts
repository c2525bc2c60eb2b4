export interface VirtualTimer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/** Runs when every promise that can settle has settled: ticks come after microtasks. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

const before = (left: VirtualTimer, right: VirtualTimer): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order);

/** The one scheduler: time stands still while anything can run, then jumps to the next timer. True time, clock ms. */
export class VirtualTime {
  now: number;
  /** Timers that have fired. */
  steps = 0;
  #orders = 0;
  readonly #heap: VirtualTimer[] = [];
  readonly #stepsMax: number;

  /** After `stepsMax` timers it runs no more: what goes on for ever would never come to rest. */
  constructor(start: number, stepsMax = Number.POSITIVE_INFINITY) {
    this.now = start;
    this.#stepsMax = stepsMax;
  }

  get exhausted(): boolean {
    return this.steps >= this.#stepsMax;
  }

  at(at: number, fire: () => void): VirtualTimer {
    const timer = { at: Math.max(at, this.now), order: this.#orders++, fire, cancelled: false };
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return timer;
  }

  after(ms: number, fire: () => void): VirtualTimer {
    return this.at(this.now + ms, fire);
  }

  /** Lets time pass until `done`, at most to the instant `until` and for all its steps; answers whether it came to that. */
  async run(done: () => boolean, until = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (;;) {
      await settled();
      if (done()) return true;
      if (this.exhausted) return false;
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        if (until !== Number.POSITIVE_INFINITY) this.now = Math.max(this.now, until);
        return false;
      }
      this.#pop();
      if (next.cancelled) continue;
      this.now = next.at;
      this.steps++;
      next.fire();
    }
  }

  #up(from: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const [child, above] = [heap[place]!, heap[parent]!];
      if (!before(child, above)) return;
      heap[place] = above;
      heap[parent] = child;
      place = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      let least = place;
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right;
      if (least === place) return;
      const moved = heap[place]!;
      heap[place] = heap[least]!;
      heap[least] = moved;
      place = least;
    }
  }
}
