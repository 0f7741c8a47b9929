import { MAX_BODY_BYTES } from '../max-body-bytes.ts';

const AROUND_THE_IMAGE = 16 * 1024; // bytes of the form and the question

/** Which limit the file passes, in words; empty where it passes none. Told before minutes of upload. */
export function tooLarge({ name, size }: File): string {
  const limit = MAX_BODY_BYTES - AROUND_THE_IMAGE;
  if (size <= limit) return '';
  return `${name} has ${megabytes(size)} MB, and the server takes ${megabytes(limit)} MB at most. Choose a smaller photo.`;
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
