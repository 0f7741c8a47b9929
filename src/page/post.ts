import { AskError, refusal } from './ask-error.ts';
import { askForKey, authorization } from './key.ts';
import type { Photo } from './photo.ts';

const UNREACHABLE = 'The server cannot be reached. Look at the connection, then ask again.';

/** What is sent beside the image, by name. */
export type Fields = Readonly<Record<string, string | boolean | readonly string[]>>;

/**
 * Asks the server something about a photo. Its pixels go with the first question; later ones name it by its
 * handle, and where the server no longer knows that, the pixels go once more.
 * @returns a response that is no error
 * @throws AskError, or what `signal` was aborted with
 */
export async function post(
  photo: Photo,
  path: string,
  fields: Fields,
  signal: AbortSignal,
): Promise<Response> {
  for (;;) {
    const response = await send(photo, path, fields, signal);
    if (response.ok) return response;
    const { code, message } = await refusal(response);
    if (code === 'invalid_api_key') {
      if (await askForKey()) continue;
      throw new AskError('This server answers only who has a key.');
    }
    if (code !== 'image_not_found' || photo.handle === undefined) throw new AskError(message);
    delete photo.handle;
  }
}

async function send(photo: Photo, path: string, fields: Fields, signal: AbortSignal): Promise<Response> {
  const content = photo.handle === undefined ? form(photo.file, fields) : json(photo.handle, fields);
  try {
    return await fetch(path, {
      method: 'POST',
      body: content.body,
      headers: { ...content.headers, ...authorization() },
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    const unreadable = photo.handle === undefined && !(await isReadable(photo.file));
    throw new AskError(unreadable ? 'The photo was moved or changed since. Choose it again.' : UNREACHABLE, {
      cause: error,
    });
  }
}

/** A file on a disk may go after it was chosen; `fetch` tells that as it tells a lost connection. */
async function isReadable(file: File): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}

interface Content {
  readonly body: FormData | string;
  readonly headers: Readonly<Record<string, string>>;
}

function form(image: File, fields: Fields): Content {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) body.append(name, String(one));
  }
  body.set('image', image);
  return { body, headers: {} };
}

function json(image: string, fields: Fields): Content {
  return {
    body: JSON.stringify({ image, ...fields }),
    headers: { 'content-type': 'application/json' },
  };
}
