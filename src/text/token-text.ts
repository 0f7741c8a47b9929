import type { Tokenizer } from './tokenizer.ts';

/** A token for people to read, and its exact bytes. */
export interface TokenText {
  /** Bytes that are no whole characters read U+FFFD. */
  readonly token: string;
  /** null for a special token: it stands for no text. */
  readonly bytes: readonly number[] | null;
}

export function tokenText(tokenizer: Tokenizer, id: number): TokenText {
  const bytes = tokenizer.bytes(id);
  if (bytes) return { token: new TextDecoder().decode(bytes), bytes: [...bytes] };
  const special = [...tokenizer.special].find(([, specialId]) => specialId === id);
  return { token: special?.[0] ?? '', bytes: null };
}
