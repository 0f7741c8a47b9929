import { sha256Hex } from './sha256.ts';

/** What names an image: the SHA-256 of its encoded bytes, in lower-case hex. */
export type ImageHandle = `sha256:${string}`;

const HANDLE = /^sha256:[0-9a-f]{64}$/;

export function isImageHandle(text: string): text is ImageHandle {
  return HANDLE.test(text);
}

export async function imageHandle(bytes: Uint8Array<ArrayBuffer>): Promise<ImageHandle> {
  return `sha256:${await sha256Hex(bytes)}`;
}
