/** Whether what a meter says of its supply leaves it: a last gasp, or the notice that it is back. */
export interface SupplyNews {
  readonly told: boolean;
}

/** The grid's side of a simulated meter. Without supply it answers nobody; what it then says is its last gasp, if anything. */
export class MeterSupply {
  readonly #record: (event: "power.failed" | "power.restored") => void;
  #on = true;
  /** What becomes of the next thing that it says by itself. */
  #news: SupplyNews | undefined;

  constructor(record: (event: "power.failed" | "power.restored") => void) {
    this.#record = record;
  }

  get on(): boolean {
    return this.#on;
  }

  /** False: it was so before, and nothing happened. */
  set(on: boolean, news: SupplyNews): boolean {
    if (on === this.#on) return false;
    this.#on = on;
    this.#news = news;
    this.#record(on ? "power.restored" : "power.failed");
    return true;
  }

  /** Those of the frames that it has to say that leave it. */
  leaving(frames: readonly Uint8Array[]): readonly Uint8Array[] {
    if (frames.length === 0) return frames;
    const told = this.#news?.told ?? this.#on;
    this.#news = undefined;
    return told ? frames : [];
  }
}
