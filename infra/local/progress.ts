/** Progress for people: one line that is written over on a terminal, and now and then a line where there is none. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
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
