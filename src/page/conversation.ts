import type { AnswerBody } from '../routes/answer-body.ts';
import { AskError } from './ask-error.ts';
import { ask } from './ask.ts';
import { button, byId } from './dom.ts';
import { sayWhatLoads } from './loading.ts';
import { say } from './notices.ts';
import type { Photo } from './photo.ts';
import { milliseconds } from './timings-bar.ts';
import { createTurn, type Turn } from './turn.ts';

export interface Conversation {
  /** Shows what was asked about the photo, and asks about it from now on. */
  open(photo: Photo): void;
  /** Ends the answer under way, keeping what of it has come. */
  stop(): void;
}

export function createConversation(): Conversation {
  const input = byId('question', HTMLInputElement);
  const stopButton = byId('stop', HTMLButtonElement);
  let photo: Photo | undefined;
  let running: AbortController | undefined;

  const stop = (): void => running?.abort();

  /** One question at a time: a new one stops the one before. */
  async function put(question: string, about: Photo, instead?: HTMLLIElement): Promise<void> {
    stop();
    const controller = (running = new AbortController());
    stopButton.hidden = false;
    const turn = createTurn(question);
    if (instead) instead.replaceWith(turn.item);
    else about.turns.append(turn.item);
    turn.item.scrollIntoView({ block: 'nearest' });
    await follow(turn, question, about, controller.signal, () => void put(question, about, turn.item));
    if (running !== controller) return;
    running = undefined;
    if (document.activeElement === stopButton) input.focus();
    stopButton.hidden = true;
  }

  byId('ask', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const question = input.value.trim();
    input.value = '';
    if (photo && question !== '') void put(question, photo);
  });
  stopButton.addEventListener('click', stop);

  return {
    stop,
    open(opened) {
      stop();
      photo = opened;
      input.value = '';
      byId('turns', HTMLDivElement).replaceChildren(opened.turns);
      const suggestions = opened.suggestions.map((question) =>
        button('suggestion', question, () => void put(question, opened)),
      );
      byId('suggestions', HTMLDivElement).replaceChildren(...suggestions);
    },
  };
}

/** Asks, and shows in the turn what comes of it. */
async function follow(
  turn: Turn,
  question: string,
  photo: Photo,
  signal: AbortSignal,
  again: () => void,
): Promise<void> {
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
    const answer = await ask(photo, question, { signal, onDelta });
    turn.ends(answer);
    keepSlowest(photo, answer);
    say(spoken(answer));
  } catch (error) {
    if (signal.aborted) {
      turn.stops();
      say('Stopped.');
      return;
    }
    const words = error instanceof AskError ? error.message : 'The answer could not be read. Ask again.';
    if (!(error instanceof AskError)) console.error(error);
    turn.fails(words, again);
    say(words);
  } finally {
    answering.abort();
    turn.item.scrollIntoView({ block: 'nearest' });
  }
}

/** The bars of a conversation are drawn against its slowest answer. */
function keepSlowest({ turns }: Photo, { timings }: AnswerBody): void {
  const slowest = Math.max(Number(turns.style.getPropertyValue('--slowest')), timings.total ?? 0);
  turns.style.setProperty('--slowest', String(slowest));
}

function spoken({ answer, cache, timings }: AnswerBody): string {
  const skipped = cache === 'hit' ? 'Cached: the vision stage was skipped. ' : '';
  return `${answer} ${skipped}${milliseconds(timings.total ?? 0)}.`;
}
