import { AskError } from './ask-error.ts';
import { choose, tell, type Answered } from './answer.ts';
import type { AskOptions } from './ask.ts';
import { button, byId } from './dom.ts';
import { sayWhatLoads } from './loading.ts';
import type { ModelKind } from './model-kind.ts';
import { notice, say } from './notices.ts';
import type { Photo } from './photo.ts';
import { milliseconds, type Timed } from './timings-bar.ts';
import { createTurn, type Turn } from './turn.ts';

/** For a model that chooses between labels: what the examples show, and what they might. */
const LABELS = ['an astronaut, a cat, a rocket', 'a person, an animal, a machine, a landscape'];

export interface Conversation {
  /** Shows what was asked about the photo, and asks about it from now on. */
  open(photo: Photo): void;
  /** What is asked from now on: questions at first. */
  become(kind: ModelKind): void;
  /** Ends the answer under way, keeping what of it has come. */
  stop(): void;
}

export function createConversation(): Conversation {
  const input = byId('question', HTMLInputElement);
  const stopButton = byId('stop', HTMLButtonElement);
  let photo: Photo | undefined;
  let running: AbortController | undefined;
  let kind: ModelKind = 'answers';

  const stop = (): void => running?.abort();

  /** One question at a time: a new one stops the one before. */
  async function put(question: string, about: Photo, instead?: HTMLLIElement): Promise<void> {
    stop();
    notice('');
    if (input.value.trim() === question) input.value = '';
    const controller = (running = new AbortController());
    stopButton.hidden = false;
    const turn = createTurn(question);
    if (instead) {
      instead.replaceWith(turn.item);
      stopButton.focus(); // the button that was pressed is gone
    } else {
      about.turns.append(turn.item);
    }
    turn.show();
    const answer = kind === 'labels' ? choose : tell;
    const asking = (options: AskOptions) => answer(turn, question, about, options);
    const again = (): void => void put(question, about, turn.item);
    const failed = await follow(turn, about, asking, again, controller.signal);
    if (running !== controller) return;
    running = undefined;
    if (failed && input.value === '') input.value = question; // to be put in another way
    if (document.activeElement === stopButton) input.focus();
    stopButton.hidden = true;
  }

  byId('ask', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const question = input.value.trim();
    if (photo && question !== '') void put(question, photo);
  });
  stopButton.addEventListener('click', stop);

  function suggest(about: Photo): void {
    const suggestions = kind === 'labels' ? LABELS : about.suggestions;
    const buttons = suggestions.map((question) =>
      button('suggestion', question, () => void put(question, about)),
    );
    byId('suggestions', HTMLDivElement).replaceChildren(...buttons);
  }

  return {
    stop,
    open(opened) {
      stop();
      photo = opened;
      input.value = '';
      byId('turns', HTMLDivElement).replaceChildren(opened.turns);
      suggest(opened);
    },
    become(found) {
      kind = found;
      if (kind === 'labels') input.placeholder = 'Labels, with commas between';
      if (photo) suggest(photo);
    },
  };
}

/**
 * Asks, and shows what comes of it, or why nothing does.
 * @returns whether it failed; an answer that was stopped has not
 */
async function follow(
  turn: Turn,
  photo: Photo,
  asking: (options: AskOptions) => Promise<Answered>,
  again: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  const answering = new AbortController();
  const waits = (words: string): void => {
    turn.waits(words);
    say(words);
  };
  void sayWhatLoads(photo.handle === undefined, waits, AbortSignal.any([signal, answering.signal]));
  const onDelta = (text: string): void => {
    answering.abort();
    turn.grows(text);
  };
  try {
    const answered = await asking({ signal, onDelta });
    keepSlowest(photo, answered);
    say(spoken(answered));
    return false;
  } catch (error) {
    if (signal.aborted) {
      turn.stops();
      say('Stopped.');
      return false;
    }
    const words = error instanceof AskError ? error.message : 'The answer could not be read. Ask again.';
    if (!(error instanceof AskError)) console.error(error);
    turn.fails(words, again);
    say(words);
    return true;
  } finally {
    answering.abort();
    turn.show();
  }
}

/** The bars of a conversation are drawn against its slowest answer. */
function keepSlowest({ turns }: Photo, { timings }: Timed): void {
  const slowest = Math.max(Number(turns.style.getPropertyValue('--slowest')), timings.total ?? 0);
  turns.style.setProperty('--slowest', String(slowest));
}

function spoken({ spoken: words, cache, timings }: Answered): string {
  const skipped = cache === 'hit' ? 'Cached: the vision stage was skipped. ' : '';
  return `${words} ${skipped}${milliseconds(timings.total ?? 0)}.`;
}
