/** One text in the browser's storage, or in memory where the browser lets a page store nothing. */
export interface Stored {
  get(): string | undefined;
  set(text: string): void;
}

/** @param storage a function, since even naming `localStorage` throws where it is forbidden */
export function stored(storage: () => Storage, name: string): Stored {
  let here: string | undefined;
  try {
    here = storage().getItem(name) ?? undefined;
  } catch {
    // Forbidden: it lasts as long as the page.
  }
  return {
    get: () => here,
    set(text) {
      here = text;
      try {
        storage().setItem(name, text);
      } catch {
        // The same.
      }
    },
  };
}
