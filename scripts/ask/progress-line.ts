import type { WriteStream } from 'node:tty';

/** One line of a terminal, written over; nothing where the stream is none. */
export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

export function createProgressLine(stream: WriteStream): ProgressLine {
  const clear = (): void => {
    if (!stream.isTTY) return;
    stream.cursorTo(0);
    stream.clearLine(0);
  };
  return {
    show(text) {
      clear();
      if (stream.isTTY) stream.write(text);
    },
    clear,
  };
}
