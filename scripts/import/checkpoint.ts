import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isFloatType, ITEM_SIZE, toFloats } from './floats.ts';
import { exists, readJson } from './read-json.ts';

/** A tensor of the published model; its values stay on the disk. */
export interface PublishedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** The weights of a Hugging Face model folder: headers in memory, values read when asked for. */
export interface Checkpoint {
  /** The .safetensors files, in the order of their names. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, PublishedTensor>;
  /**
   * Values `from` to `from + count` of a tensor, in a buffer that the next call fills anew.
   * @throws Error that names the tensor and the index of a value that is not finite
   */
  read(name: string, from: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

interface Placed extends PublishedTensor {
  readonly file: FileHandle;
  readonly position: number;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
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

/** @throws Error where a file is missing, cut off or no safetensors file */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const weightMap = await readWeightMap(folder);
  const files = weightMap ? [...new Set(Object.values(weightMap))].sort() : [SINGLE];
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(handles.map((handle) => handle.close()));
  };
  try {
    const tensors = new Map<string, Placed>();
    for (const name of files) {
      const handle = await openFile(folder, name);
      handles.push(handle);
      for (const tensor of await readHeader(handle, name)) tensors.set(tensor.name, tensor);
    }
    const absent = Object.keys(weightMap ?? {}).find((name) => !tensors.has(name));
    if (absent !== undefined) throw new Error(`${INDEX} places ${absent} where it is not. ${AGAIN}`);
    return { files, tensors, read: valueReader(tensors), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const AGAIN = 'Download the model again.';

async function readWeightMap(folder: string): Promise<Readonly<Record<string, string>> | undefined> {
  if (await exists(join(folder, SINGLE))) return undefined;
  if (await exists(join(folder, INDEX))) return (await readJson(folder, INDEX, indexSchema)).weight_map;
  throw new Error(
    `${folder} has neither ${SINGLE} nor ${INDEX}. Weights in another format become one by ` +
      'from_pretrained(folder).save_pretrained(folder) in transformers.',
  );
}

async function openFile(folder: string, name: string): Promise<FileHandle> {
  try {
    return await open(join(folder, name));
  } catch (cause) {
    throw new Error(`${name}, which ${INDEX} names, cannot be opened in ${folder}. ${AGAIN}`, { cause });
  }
}

async function readHeader(file: FileHandle, label: string): Promise<readonly Placed[]> {
  const { size: fileSize } = await file.stat();
  const length = fileSize < 8 ? Infinity : Number((await readBytes(file, 0, 8)).readBigUInt64LE());
  if (length > Math.min(HEADER_LIMIT, fileSize - 8)) {
    throw new Error(`${label} is no safetensors file (a pointer of git-lfs, perhaps). ${AGAIN}`);
  }
  const json: unknown = JSON.parse((await readBytes(file, 8, length)).toString('utf8'));
  const entries = z.record(z.string(), z.unknown()).parse(json);
  delete entries.__metadata__;
  return Object.entries(headerSchema.parse(entries)).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [start, end],
      },
    ]) => {
      if (8 + length + end > fileSize) {
        throw new Error(`${label} is cut off: it ends before its tensor ${name} does. ${AGAIN}`);
      }
      return { name, dtype, shape, bytes: end - start, file, position: 8 + length + start };
    },
  );
}

/** Reads into buffers of its own, since Node frees what lies outside its heap late. */
function valueReader(tensors: ReadonlyMap<string, Placed>): Checkpoint['read'] {
  let bytes = Buffer.alloc(0);
  let floats = new Float32Array(0);
  return async (name, from, count) => {
    const tensor = tensors.get(name);
    if (tensor === undefined || !isFloatType(tensor.dtype)) {
      throw new Error(`There are no values of ${name}.`);
    }
    const itemSize = ITEM_SIZE[tensor.dtype];
    if (count > floats.length) {
      bytes = Buffer.alloc(4 * count);
      floats = new Float32Array(count);
    }
    const read = bytes.subarray(0, itemSize * count);
    await readInto(read, tensor.file, tensor.position + from * itemSize);
    const values = floats.subarray(0, count);
    toFloats(read, tensor.dtype, values);
    requireFinite(values, tensor, from);
    return values;
  };
}

function requireFinite(values: Float32Array, { name, shape }: Placed, from: number): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new Error(
      `The tensor ${name} has ${values[i] ?? NaN} at [${indexOf(from + i, shape).join()}]: ` +
        'the model was saved broken, or is not what was published.',
    );
  }
}

/** Of a place in a row-major tensor, the index in each dimension. */
function indexOf(place: number, shape: readonly number[]): readonly number[] {
  let rest = place;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = (rest - index) / size;
      return index;
    })
    .reverse();
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await readInto(bytes, file, position);
  return bytes;
}

async function readInto(bytes: Buffer, file: FileHandle, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) throw new Error(`The weights end at byte ${position + at}. ${AGAIN}`);
    at += bytesRead;
  }
}
