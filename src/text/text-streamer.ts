import type { Tokenizer } from './tokenizer.ts';

/** Turns ids into text as they come. All that it returned, in order, is `decode` of all ids. */
export interface TextStreamer {
  /** The text that this id makes final. Bytes of a character still incomplete are held back. */
  push(id: number): string;
  /** What was held back. */
  flush(): string;
}

/**
 * Decodes a window of ids that begins where the last text began, so that a decoder that looks at
 * its left neighbour (a stripped leading space) sees one.
 */
export function createTextStreamer(tokenizer: Tokenizer): TextStreamer {
  let window: number[] = [];
  let emitted = 0; // how many ids of the window are emitted

  function emit(text: string): string {
    const known = tokenizer.decode(window.slice(0, emitted));
    if (text.length > known.length) {
      window = window.slice(emitted);
      emitted = window.length;
    }
    return text.slice(known.length);
  }

  return {
    push(id) {
      window.push(id);
      const text = tokenizer.decode(window);
      return text.endsWith('\uFFFD') ? '' : emit(text);
    },
    flush: () => emit(tokenizer.decode(window)),
  };
}
