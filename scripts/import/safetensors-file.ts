import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

/** A tensor's place in a file that is read piece by piece. */
export interface PlacedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly file: number;
  readonly position: number;
}

export interface SafetensorsFile {
  readonly tensors: readonly PlacedTensor[];
  close(): void;
}

export const AGAIN = 'Download the model again.';

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);
/** https://github.com/huggingface/safetensors: no header is longer. */
const HEADER_LIMIT = 100_000_000;

/**
 * Reads the header and nothing else.
 * @param label how errors name the file
 * @throws Error where it is no safetensors file, or cut off
 */
export function openSafetensors(path: string, label: string): SafetensorsFile {
  const file = openSync(path, 'r');
  const close = (): void => closeSync(file);
  try {
    return { tensors: readHeader(file, label), close };
  } catch (error) {
    close();
    throw error;
  }
}

function readHeader(file: number, label: string): readonly PlacedTensor[] {
  const { size } = fstatSync(file);
  const length = size < 8 ? Infinity : Number(readBytes(file, 0, 8).readBigUInt64LE());
  const header = length > Math.min(HEADER_LIMIT, size - 8) ? undefined : parse(readBytes(file, 8, length));
  if (header === undefined) {
    throw new Error(`${label} is no safetensors file (a pointer of git-lfs, perhaps). ${AGAIN}`);
  }
  return Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [start, end],
      },
    ]) => {
      if (8 + length + end > size) {
        throw new Error(`${label} is cut off: it ends before its tensor ${name} does. ${AGAIN}`);
      }
      return { name, dtype, shape, bytes: end - start, file, position: 8 + length + start };
    },
  );
}

/** @returns undefined where it is no header */
function parse(bytes: Buffer): z.infer<typeof headerSchema> | undefined {
  try {
    const entries = z.record(z.string(), z.unknown()).parse(JSON.parse(bytes.toString('utf8')));
    delete entries.__metadata__;
    return headerSchema.parse(entries);
  } catch {
    return undefined;
  }
}

function readBytes(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readInto(bytes, file, position);
  return bytes;
}

/** Fills `bytes`. */
export function readInto(bytes: Buffer, file: number, position: number): void {
  for (let at = 0; at < bytes.length;) {
    const read = readSync(file, bytes, at, bytes.length - at, position + at);
    if (read === 0) throw new Error(`The weights end at byte ${position + at}. ${AGAIN}`);
    at += read;
  }
}
