import { element } from './dom.ts';

/** An image and what was asked about it. */
export interface Photo {
  /** Sent as it is, so that the server's handle is the file's own SHA-256. */
  readonly file: File;
  /** A blob: URL of it. */
  readonly url: string;
  readonly suggestions: readonly string[];
  /** Its questions and answers, one `li` each. */
  readonly turns: HTMLOListElement;
  /** By which the server knows it once it has answered: from then on no pixels need be sent. */
  handle?: string;
}

const SUGGESTIONS = ['Describe the image.', 'Who is in the image?', 'What is happening in this picture?'];

const photos: Photo[] = [];

/** A file that was open before comes back with its questions and answers. */
export function openPhoto(file: File, suggestions: readonly string[] = SUGGESTIONS): Photo {
  const before = photos.find((photo) => isSame(photo.file, file));
  if (before) return before;
  const turns = element('ol');
  const photo = { file, url: URL.createObjectURL(file), suggestions, turns };
  photos.push(photo);
  return photo;
}

function isSame(a: File, b: File): boolean {
  return a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;
}
