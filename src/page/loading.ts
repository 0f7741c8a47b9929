/** What `GET /health` answers. */
interface Health {
  readonly bundle: {
    readonly digest: string | null;
    readonly loaded: { readonly vision: boolean; readonly text: boolean };
  };
}

const BETWEEN_LOOKS = 300; // milliseconds: a warm server answers before the first

/**
 * Until `signal` aborts, says what the server is busy with, as far as it can be known: the isolate that
 * answers `/health` need not be the one that answers the question, so no figure is given.
 * @param sends_pixels of an image that may be new, so that the vision half may be needed
 */
export async function sayWhatLoads(
  sends_pixels: boolean,
  say: (words: string) => void,
  signal: AbortSignal,
): Promise<void> {
  say(sends_pixels ? 'Sending the photo…' : 'Asking…');
  try {
    for (;;) {
      await new Promise((next) => setTimeout(next, BETWEEN_LOOKS));
      const response = await fetch('/health', { signal });
      say(words(sends_pixels, (await response.json()) as Health));
    }
  } catch {
    // Aborted, or unreachable: then the question fails too, and says so.
  }
}

function words(sends_pixels: boolean, { bundle }: Health): string {
  if (bundle.digest === null) return 'Loading the model…';
  if (sends_pixels && !bundle.loaded.vision) return 'Loading the model’s vision half…';
  if (!bundle.loaded.text) return 'Loading the model’s language half…';
  return sends_pixels ? 'Looking at the photo…' : 'Thinking…';
}
