/** A text as captions are scored: lower case; letters, digits, hyphens and apostrophes kept, the rest split away. */
export function words(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z0-9\-']+/g) ?? [];
}

/**
 * A person's caption as a reference. The writers' spacing goes ("man 's", "dog , running") and their quotes;
 * of fewer than three words it is no description.
 */
export function referenceWords(caption: string): readonly string[] | undefined {
  const tidy = caption
    .replaceAll(/"|``|''/g, '')
    .replaceAll(/\s+([.,;:!?]|'s\b)/g, '$1')
    .replace(/[ .;,]+$/, '')
    .trim();
  return tidy.split(/\s+/).length < 3 ? undefined : words(tidy);
}
