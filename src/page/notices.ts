import { byId } from './dom.ts';

/** What is wrong with what the visitor just did, in words, until the next thing is done. */
export function notice(words: string): void {
  const place = byId('notice', HTMLParagraphElement);
  place.textContent = words;
  place.hidden = words === '';
}

/**
 * For screen readers. An answer arrives in pieces of a word, which no one wants to hear one by one: what is
 * being waited for is said, and then the answer whole.
 */
export function say(words: string): void {
  byId('status', HTMLParagraphElement).textContent = words;
}
