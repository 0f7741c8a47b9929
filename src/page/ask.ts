import type { AnswerBody } from '../routes/answer-body.ts';
import { AskError, refusal } from './ask-error.ts';
import { askForKey, authorization } from './key.ts';
import type { Photo } from './photo.ts';
import { readAnswer } from './read-answer.ts';

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly onDelta: (text: string) => void;
}

/**
 * Asks the server. The photo's pixels go with the first question; later ones name it by its handle, and
 * where the server no longer knows that, the pixels go once more.
 * @throws AskError, or what `signal` was aborted with
 */
export async function ask(photo: Photo, prompt: string, options: AskOptions): Promise<AnswerBody> {
  for (;;) {
    const response = await send(photo, prompt, options.signal);
    if (response.ok && response.body) {
      const answer = await readAnswer(response.body, options.onDelta);
      photo.handle = answer.image;
      return answer;
    }
    const { code, message } = await refusal(response);
    if (code === 'invalid_api_key' && (await askForKey(message))) continue;
    if (code !== 'image_not_found' || photo.handle === undefined) throw new AskError(message);
    delete photo.handle;
  }
}

async function send(photo: Photo, prompt: string, signal: AbortSignal): Promise<Response> {
  const content = photo.handle === undefined ? form(photo.file, prompt) : json(photo.handle, prompt);
  try {
    return await fetch('/v1/query', {
      method: 'POST',
      body: content.body,
      headers: { ...content.headers, ...authorization() },
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new AskError('The server cannot be reached. Look at the connection, then ask again.', {
      cause: error,
    });
  }
}

interface Content {
  readonly body: FormData | string;
  readonly headers: Readonly<Record<string, string>>;
}

function form(image: File, prompt: string): Content {
  const body = new FormData();
  body.set('prompt', prompt);
  body.set('stream', 'true');
  body.set('image', image);
  return { body, headers: {} };
}

function json(image: string, prompt: string): Content {
  return {
    body: JSON.stringify({ image, prompt, stream: true }),
    headers: { 'content-type': 'application/json' },
  };
}
