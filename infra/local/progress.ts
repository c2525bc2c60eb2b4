/** Progress for people: one line that is written over on a terminal, and now and then a line where there is none. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #phases: string[] = [];
  #phase = { at: 0, cpu: process.cpuUsage() };
  #shown = "";
  #writtenAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** What goes on now; replaces what was shown before. */
  show(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[K${text}`);
    else if (Date.now() - this.#writtenAt > 2_000) this.#write(text);
  }

  /** Something that stays. */
  line(text: string): void {
    this.done();
    this.#write(text);
  }

  /** A phase is over: how long it took since the one before, and how much CPU of this process. */
  phase(name: string): void {
    const { user, system } = process.cpuUsage(this.#phase.cpu);
    const now = performance.now(); // counts from the start of the process
    const [seconds, cpu] = [(now - this.#phase.at) / 1000, (user + system) / 1_000_000];
    this.#phases.push(`${name} ${seconds.toFixed(1)} s (CPU ${cpu.toFixed(1)} s)`);
    this.#phase = { at: now, cpu: process.cpuUsage() };
  }

  /** The phases so far, in order. */
  phases(): string {
    return this.#phases.join(", ");
  }

  /** Takes away what is shown. */
  done(): void {
    if (this.#shown !== "" && this.#stream.isTTY) this.#stream.write("\r\u001b[K");
    this.#shown = "";
  }

  #write(text: string): void {
    this.#writtenAt = Date.now();
    this.#stream.write(`${text}\n`);
  }
}
