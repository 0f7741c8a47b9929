import type { AnswerBody } from '../routes/answer-body.ts';
import type { Photo } from './photo.ts';
import { post } from './post.ts';
import { readAnswer } from './read-answer.ts';

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly onDelta: (text: string) => void;
}

/** @throws AskError, or what `signal` was aborted with */
export async function ask(
  photo: Photo,
  prompt: string,
  { signal, onDelta }: AskOptions,
): Promise<AnswerBody> {
  const { body } = await post(photo, '/v1/query', { prompt, stream: true }, signal);
  const answer = await readAnswer(body ?? new Blob().stream(), onDelta);
  photo.handle = answer.image;
  return answer;
}
