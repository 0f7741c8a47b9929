import type { AnswerBody } from '../routes/answer-body.ts';
import type { ClassifyBody } from '../routes/classify.ts';
import { button, element } from './dom.ts';
import { milliseconds, timingsBar, type Timed } from './timings-bar.ts';

/** A question and what becomes of it, on the page. */
export interface Turn {
  readonly item: HTMLLIElement;
  /** Scrolls to what there is of the answer: a question alone may be longer than the screen. */
  show(): void;
  /** What is being waited for; the first piece of text takes its place. */
  waits(words: string): void;
  grows(text: string): void;
  ends(answer: AnswerBody): void;
  /** What labels were found likely. */
  chooses(found: ClassifyBody): void;
  stops(): void;
  fails(words: string, again: () => void): void;
}

export function createTurn(question: string): Turn {
  const answer = element('div', 'answer');
  const item = element('li', 'turn', element('p', 'question', question), answer);
  const waiting = element('p', 'waiting');
  const text = element('p', 'text');
  return {
    item,
    show() {
      answer.scrollIntoView({ block: 'nearest' });
    },
    waits(words) {
      waiting.textContent = words;
      if (!text.isConnected) answer.replaceChildren(waiting);
    },
    grows(delta) {
      if (!text.isConnected) answer.replaceChildren(text);
      text.append(delta);
      text.classList.add('streaming');
    },
    ends(body) {
      text.classList.remove('streaming');
      text.textContent = body.answer;
      answer.replaceChildren(text, summary(body, tokens(body)), timingsBar(body));
    },
    chooses(found) {
      const classes = found.classes.map(({ label, probability }) =>
        element('li', '', element('span', '', label), element('span', '', percent(probability))),
      );
      answer.replaceChildren(element('ol', 'classes', ...classes), summary(found), timingsBar(found));
    },
    stops() {
      text.classList.remove('streaming');
      answer.replaceChildren(text, element('p', 'stopped', 'Stopped'));
    },
    fails(words, again) {
      const retry = button('plain', 'Try again', again);
      answer.replaceChildren(element('div', 'failure', element('p', '', words), retry));
    },
  };
}

function summary({ cache, timings }: Timed, more = ''): HTMLElement {
  const hit = cache === 'hit';
  const badge = element('span', hit ? 'badge hit' : 'badge', hit ? 'cached' : 'new photo');
  return element('p', 'summary', badge, ` ${milliseconds(timings.total ?? 0)}${more}`);
}

function tokens({ usage, finish_reason }: AnswerBody): string {
  const count = `${usage.completion_tokens} ${usage.completion_tokens === 1 ? 'token' : 'tokens'}`;
  return ` · ${count}${finish_reason === 'length' ? ', cut at the limit' : ''}`;
}

/** 93 %, 4.2 %. */
export function percent(probability: number): string {
  return `${(100 * probability).toLocaleString('en', { maximumFractionDigits: probability < 0.1 ? 1 : 0 })} %`;
}
