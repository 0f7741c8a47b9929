import type { ClassifyBody } from '../routes/classify.ts';
import { AskError } from './ask-error.ts';
import type { Photo } from './photo.ts';
import { post } from './post.ts';

/**
 * Which of some labels the photo is.
 * @param text labels with commas between
 * @throws AskError, or what `signal` was aborted with
 */
export async function classify(photo: Photo, text: string, signal: AbortSignal): Promise<ClassifyBody> {
  const labels = text.split(',').flatMap((label) => label.trim() || []);
  if (labels.length < 2) {
    throw new AskError('One label leaves nothing to choose. Give several, with commas between.');
  }
  const response = await post(photo, '/v1/classify', { labels }, signal);
  const found = (await response.json()) as ClassifyBody;
  photo.handle = found.image;
  return found;
}
